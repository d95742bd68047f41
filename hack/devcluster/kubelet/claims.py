"""PersistentVolumeClaims of the default class: each is a folder of the state directory."""

import shutil
from pathlib import Path

from devcluster.api import ApiError, Object
from devcluster.kubelet.client import KubeletClient

__all__ = ["PROVISIONER", "STORAGE_CLASS", "Provisioner"]

STORAGE_CLASS = "standard"
PROVISIONER = "devcluster.aicost.dev/local"
_EXISTS, _NOT_FOUND = 409, 404


class Provisioner:
    """Makes a PersistentVolume for each claim, so that the controller-manager can bind the two."""

    def __init__(self, client: KubeletClient, folder: Path) -> None:
        self._client = client
        self._folder = folder

    async def provide(self, claim: Object) -> None:
        """Make the volume of a claim that waits for one of our class."""
        spec = claim["spec"]
        if spec.get("storageClassName") != STORAGE_CLASS or spec.get("volumeName"):
            return
        try:
            await self._client.request("POST", "/api/v1/persistentvolumes", self._volume(claim))
        except ApiError as problem:
            if problem.status != _EXISTS:
                raise

    def _volume(self, claim: Object) -> Object:
        meta, spec = claim["metadata"], claim["spec"]
        reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "resourceVersion": meta["resourceVersion"]}
        return {
            "metadata": {
                "name": f"pvc-{meta['uid']}",
                "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
            },
            "spec": {
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "accessModes": spec["accessModes"],
                "storageClassName": STORAGE_CLASS,
                "persistentVolumeReclaimPolicy": "Delete",
                "hostPath": {"path": str(self._path(claim)), "type": "DirectoryOrCreate"},
                "claimRef": {**reference, "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
            },
        }

    def _path(self, claim: Object) -> Path:
        meta = claim["metadata"]
        return self._folder / f"{meta['namespace']}_{meta['name']}_{meta['uid']}"

    async def remove(self, claim: Object) -> None:
        """Delete the volume and the data of a claim that is gone."""
        try:
            await self._client.request("DELETE", f"/api/v1/persistentvolumes/pvc-{claim['metadata']['uid']}")
        except ApiError as problem:
            if problem.status != _NOT_FOUND:
                raise
        shutil.rmtree(self._path(claim), ignore_errors=True)

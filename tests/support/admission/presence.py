"""Cases: which labels are there, where, and where they come from."""

from dataclasses import replace

from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.stages import Stage
from aicost.domain.policy.decisions import ProblemCode, Verdict
from aicost.domain.policy.policies import Inherit, Need
from aicost.domain.policy.requests import Requester
from support.admission.case import Case
from support.admission.manifests import Json, ai_workload, cron_job, deployment, job, pod, pod_spec, ray_cluster
from support.admission.policies import TEAM, dimension_key, policy

FULL = {"aicost.dev/team": "vision", "aicost.dev/cost-center": "cc-100"}
_MISSING, _UNKNOWN = ProblemCode.MISSING, ProblemCode.UNKNOWN_VALUE
_TEAM_LABEL = "aicost.dev/team"
_TEAM_ONLY = (policy(TEAM),)
_GROUPS = (policy(replace(TEAM, groups={"ml-vision": "vision", "ml-research": "research"})),)
_STAGE = dimension_key(Dimension.STAGE)
_STAGED = (
    policy(
        replace(TEAM, default="research"),
        dimension_key(Dimension.PRODUCT, need=Need.ALWAYS, stages=(Stage.PILOT, Stage.PRODUCTION)),
        _STAGE,
    ),
)


def _with_env(spec: Json, name: str, value: str) -> Json:
    spec["containers"][0]["env"] = [{"name": name, "value": value}]
    return spec


PRESENCE: tuple[Case, ...] = (
    Case("all labels in order are let in", deployment(FULL), Verdict.ALLOW),
    Case("no labels at all miss all keys", deployment(), Verdict.DENY, (_MISSING, _MISSING)),
    Case("an empty map of labels misses all keys", deployment({}), Verdict.DENY, (_MISSING, _MISSING)),
    Case("an empty value says nothing", deployment({**FULL, _TEAM_LABEL: ""}), Verdict.DENY, (_MISSING,)),
    Case("untagged is no value", deployment({**FULL, _TEAM_LABEL: "untagged"}), Verdict.DENY, (_MISSING,)),
    Case(
        "a key for GPU workloads is not asked of one without GPUs",
        deployment({_TEAM_LABEL: "vision"}, spec=pod_spec(0)),
        Verdict.ALLOW,
    ),
    Case("labels on the template will do", deployment(None, FULL), Verdict.ALLOW),
    Case("labels of a bare pod are its own", pod(FULL), Verdict.ALLOW),
    Case("a bare pod without labels is refused", pod(), Verdict.DENY, (_MISSING, _MISSING)),
    Case("a Job's own labels speak for its pods", job(FULL), Verdict.ALLOW),
    Case("a CronJob is judged by its own labels", cron_job(FULL), Verdict.ALLOW),
    Case("a CronJob's innermost template will do", cron_job(None, FULL), Verdict.ALLOW),
    Case("a RayCluster's own labels speak for head and workers", ray_cluster(FULL), Verdict.ALLOW),
    Case(
        "a RayCluster whose workers alone are labelled misses the labels of its head",
        ray_cluster(None, None, FULL),
        Verdict.DENY,
        (_MISSING, _MISSING),
    ),
    Case("an AIWorkload's fields are its labels", ai_workload(dimensions={"team": "vision"}), Verdict.ALLOW),
    Case("an AIWorkload without a team is refused", ai_workload(), Verdict.DENY, (_MISSING,)),
    Case(
        "the namespace gives a team, which is written down",
        deployment(namespace="vision"),
        Verdict.ALLOW,
        changes=(("", _TEAM_LABEL, "vision"),),
        policies=_TEAM_ONLY,
    ),
    Case(
        "the namespace's alias and spelling are read like the object's",
        deployment(namespace="squads"),
        Verdict.ALLOW,
        changes=(("", _TEAM_LABEL, "recommendation-engine"),),
        policies=_TEAM_ONLY,
    ),
    Case(
        "the object's own label goes before the namespace's",
        deployment({_TEAM_LABEL: "research"}, namespace="vision"),
        Verdict.ALLOW,
        policies=_TEAM_ONLY,
    ),
    Case(
        "a value that the namespace misspells is told with where it comes from",
        deployment(namespace="misspelt"),
        Verdict.DENY,
        (_UNKNOWN,),
        policies=_TEAM_ONLY,
    ),
    Case(
        "a key that inherits nothing is missing in spite of the namespace",
        deployment(namespace="vision"),
        Verdict.DENY,
        (_MISSING,),
        policies=(policy(replace(TEAM, inherit=(Inherit.OWNER,))),),
    ),
    Case(
        "where templates may not inherit from the object, the label has to stand on the template",
        deployment({_TEAM_LABEL: "vision"}),
        Verdict.DENY,
        (_MISSING,),
        policies=(policy(replace(TEAM, inherit=())),),
    ),
    Case(
        "the ServiceAccount gives a team",
        deployment(spec=pod_spec(8, "trainer")),
        Verdict.ALLOW,
        changes=(("", _TEAM_LABEL, "research"),),
        policies=_TEAM_ONLY,
    ),
    Case(
        "the queue gives a team",
        job({"kueue.x-k8s.io/queue-name": "gpu-queue"}),
        Verdict.ALLOW,
        changes=(("", _TEAM_LABEL, "research"),),
        policies=_TEAM_ONLY,
    ),
    Case(
        "the AIWorkload that claims the object gives a team, which is not copied",
        deployment(name="claimed"),
        Verdict.ALLOW,
        policies=_TEAM_ONLY,
    ),
    Case(
        "the requester's group gives a team, which nobody could tell later",
        deployment(),
        Verdict.ALLOW,
        changes=(("", _TEAM_LABEL, "vision"),),
        policies=_GROUPS,
        requester=Requester("vera", ("ml-vision", "system:authenticated")),
    ),
    Case("a group that the policy does not name gives nothing", deployment(), Verdict.DENY, (_MISSING,), (), _GROUPS),
    Case(
        "a run tracker's id gives the experiment",
        job(spec=_with_env(pod_spec(), "MLFLOW_EXPERIMENT_NAME", "Ranker V2")),
        Verdict.ALLOW,
        policies=(policy(dimension_key(Dimension.EXPERIMENT, need=Need.ALWAYS)),),
    ),
    Case(
        "an experiment may begin with the default",
        deployment({"aicost.dev/stage": "experiment"}),
        Verdict.ALLOW,
        policies=_STAGED,
    ),
    Case(
        "a pilot needs the full set",
        deployment({"aicost.dev/stage": "pilot"}),
        Verdict.DENY,
        (_MISSING, _MISSING),
        policies=_STAGED,
    ),
    Case("without a stage no default will do", deployment(), Verdict.DENY, (_MISSING,), policies=_STAGED),
    Case(
        "one template in production makes the whole object need what production needs",
        ray_cluster(
            {"aicost.dev/stage": "experiment", _TEAM_LABEL: "vision"}, None, {"aicost.dev/stage": "production"}
        ),
        Verdict.DENY,
        (_MISSING,),
        policies=_STAGED,
    ),
    Case(
        "a stage that does not exist is no way around",
        deployment({"aicost.dev/stage": "producton", _TEAM_LABEL: "vision"}),
        Verdict.DENY,
        (_UNKNOWN,),
        policies=_STAGED,
    ),
)

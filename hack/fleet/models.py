"""The GPU models that the simulated fleet is made of: facts that exporters and node labels show."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GpuModel:
    """One model.

    Attributes:
        name: what the exporter calls it (`modelName`); with dashes it is the node label `nvidia.com/gpu.product`.
        family: architecture, as the node label `nvidia.com/gpu.family` has it.
        memory_mib: size of the frame buffer.
        reserved_mib: what the driver keeps for itself.
        idle_watts: board power at activity 0.
        busy_watts: board power at activity 1; power grows in a straight line between the two.
    """

    name: str
    family: str
    memory_mib: int
    reserved_mib: int
    idle_watts: int
    busy_watts: int

    @property
    def product(self) -> str:
        """The value of the node label `nvidia.com/gpu.product`."""
        return self.name.replace(" ", "-")


H100 = GpuModel("NVIDIA H100 80GB HBM3", "hopper", 81_559, 551, 70, 700)
A100 = GpuModel("NVIDIA A100-SXM4-40GB", "ampere", 40_960, 477, 50, 400)
L40S = GpuModel("NVIDIA L40S", "ada-lovelace", 46_068, 609, 35, 350)
H200 = GpuModel("NVIDIA H200", "hopper", 143_771, 600, 75, 700)
RTX6000 = GpuModel("NVIDIA RTX PRO 6000 Blackwell Server Edition", "blackwell", 97_887, 639, 30, 600)
A100_80 = GpuModel("NVIDIA A100-SXM4-80GB", "ampere", 81_920, 617, 60, 400)
L4 = GpuModel("NVIDIA L4", "ada-lovelace", 23_034, 464, 12, 72)
T4 = GpuModel("Tesla T4", "turing", 15_360, 450, 9, 70)

MODELS = (H100, A100, A100_80, L40S, L4, T4, H200, RTX6000)


def by_product(product: str) -> GpuModel:
    """The model of a node label `nvidia.com/gpu.product`."""
    for model in MODELS:
        if model.product == product:
            return model
    known = ", ".join(model.product for model in MODELS)
    raise ValueError(f"GPU product {product!r} is not simulated: use one of {known}")

"""How carefully a budget acts, as the domain knows it."""

from fractions import Fraction

from aicost.crd.fields.amounts import fraction_ppm
from aicost.crd.fields.text import duration_ms
from aicost.crd.models.budget.enforcement import Checkpoint, DataQuality, Enforcement, GitOps, Restore, Victims
from aicost.domain.budgets.plans import PPM, Safety, VictimRules


def safety_of(model: Enforcement | None) -> Safety:
    """The rules, with the defaults of what is not named."""
    spec = model or Enforcement()
    data, git_ops = spec.data_quality or DataQuality(), spec.git_ops or GitOps()
    restore, checkpoint = spec.restore or Restore(), spec.checkpoint or Checkpoint()
    override = spec.coverage_override
    return Safety(
        notice_ms=duration_ms(spec.notice),
        cooldown_ms=duration_ms(spec.cooldown),
        min_hold_ms=duration_ms(spec.min_hold),
        escalate_ms=duration_ms(spec.escalate_after),
        victims=_victims(spec.victims or Victims()),
        checkpoint=checkpoint.request,
        checkpoint_timeout_ms=duration_ms(checkpoint.timeout),
        restore=restore.policy,
        restore_gpus_per_minute=restore.max_gpus_per_minute,
        max_staleness_ms=duration_ms(data.max_staleness),
        enough_data=Fraction(fraction_ppm(data.min_coverage), PPM),
        price_jump_factor=data.price_jump_factor,
        on_revert=git_ops.on_revert,
        max_reverts=git_ops.max_reverts,
        revert_window_ms=duration_ms(git_ops.window),
        forecast_may_freeze=spec.forecast_may_freeze_growth,
        clamp_quota=spec.clamp_resource_quota,
        gated=spec.gated,
        enough_labels=Fraction(fraction_ppm(override.min_coverage), PPM) if override else Safety().enough_labels,
    )


def _victims(model: Victims) -> VictimRules:
    return VictimRules(
        order=tuple(model.order),
        allow_production=model.allow_production,
        min_runtime_ms=duration_ms(model.min_runtime),
        max_per_cycle=model.max_per_cycle,
        max_gpu_share=Fraction(model.max_gpu_share_percent, 100),
    )

"""Cases: what values are, how they are written, and who may use them."""

from dataclasses import replace

from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.stages import Stage
from aicost.domain.policy.decisions import ProblemCode, Verdict
from aicost.domain.policy.policies import AllowedValues, Mode, Need, UseRule
from aicost.domain.policy.policies import Case as LetterCase
from support.admission.case import Case
from support.admission.manifests import deployment, pod_spec, ray_cluster
from support.admission.policies import (
    BOUND_TEAM,
    MISSING_VALUES,
    TEAM,
    dimension_key,
    labelled,
    own_key,
    policy,
)
from support.admission.policies import (
    VALUES as LISTED,
)

_UNKNOWN, _FOREIGN, _CONFLICT = ProblemCode.UNKNOWN_VALUE, ProblemCode.FOREIGN_VALUE, ProblemCode.CONFLICT
_TEAM = "aicost.dev/team"
_TEAM_ONLY = (policy(TEAM),)
_BOUND = (policy(BOUND_TEAM),)
_PATTERN = dimension_key(Dimension.COST_CENTER, allowed=AllowedValues(values=("shared",), pattern="cc-[0-9]{3}"))
_CONVENTION = dimension_key(
    Dimension.PROJECT, convention="[a-z]+-[0-9]{4}", convention_hint="name and year, such as ranker-2026"
)
_PRODUCT = dimension_key(Dimension.PRODUCT, allowed=AllowedValues(config_map=LISTED))
_OWNER = own_key("acme.example/owner", allowed=AllowedValues(values=("dana", "vera")), need=Need.ALWAYS)
_EXACT = own_key("acme.example/Tier", allowed=AllowedValues(values=("Gold", "Silver")), case=LetterCase.KEEP)
_MODEL = dimension_key(Dimension.MODEL)
_L4 = {"nvidia.com/gpu.product": "NVIDIA-L4"}
_H100 = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}
_USES = UseRule("small-gpus", teams=("vision",), gpu_models=("l4", "a10*"), hint="use an L4", approval="#gpu-board")
_MODELS = UseRule("open-models", stages=(Stage.PRODUCTION,), models=("meta-llama/*", "qwen/*"))
_CLOUDS = UseRule("no-aws", providers=("gcp", "azure"))


def _uses(rule: UseRule, **more: object) -> tuple[object, ...]:
    return (policy(TEAM, uses=(rule,), **more),)


VALUES: tuple[Case, ...] = (
    Case(
        "a misspelt team is not a known team", deployment({_TEAM: "visoin"}), Verdict.DENY, (_UNKNOWN,), (), _TEAM_ONLY
    ),
    Case(
        "letter case and separators are put into normal form",
        deployment({_TEAM: "Recommendation_Engine"}),
        Verdict.ALLOW,
        changes=(("", _TEAM, "recommendation-engine"),),
        policies=_TEAM_ONLY,
    ),
    Case(
        "an alias of a value is replaced by what it stands for",
        deployment({_TEAM: "recs"}),
        Verdict.ALLOW,
        changes=(("", _TEAM, "recommendation-engine"),),
        policies=_TEAM_ONLY,
    ),
    Case(
        "an alias of the key is read, and the key's own label is written beside it",
        deployment({"squad": "RECS"}),
        Verdict.ALLOW,
        changes=(("", _TEAM, "recommendation-engine"),),
        policies=_TEAM_ONLY,
    ),
    Case(
        "a template's own spelling is put into normal form on the template",
        deployment({_TEAM: "vision"}, {"Team": "Research"}),
        Verdict.ALLOW,
        changes=(("/spec/template", _TEAM, "research"),),
        policies=_TEAM_ONLY,
    ),
    Case(
        "a template without metadata gets none where nothing is to be written",
        ray_cluster({_TEAM: "Vision"}),
        Verdict.ALLOW,
        changes=(("", _TEAM, "vision"),),
        policies=_TEAM_ONLY,
    ),
    Case(
        "each template of several is put into normal form at its own place",
        ray_cluster(None, {"squad": "vision"}, {"Team": "RESEARCH"}),
        Verdict.ALLOW,
        changes=(
            ("/spec/headGroupSpec/template", _TEAM, "vision"),
            ("/spec/workerGroupSpecs/0/template", _TEAM, "research"),
        ),
        policies=_TEAM_ONLY,
    ),
    Case(
        "a label that the selector uses is never written",
        deployment({_TEAM: "vision"}, selector={_TEAM: "Vision"}),
        Verdict.ALLOW,
        policies=_TEAM_ONLY,
    ),
    Case(
        "two spellings of one key that agree are no conflict",
        deployment({_TEAM: "vision", "Team": "Vision"}),
        Verdict.ALLOW,
        policies=_TEAM_ONLY,
    ),
    Case(
        "two spellings of one key that differ are a conflict",
        deployment({_TEAM: "vision", "squad": "research"}),
        Verdict.DENY,
        (_CONFLICT,),
        policies=_TEAM_ONLY,
    ),
    Case(
        "a wrong value on one template is found there",
        ray_cluster({_TEAM: "vision"}, None, {_TEAM: "nobody"}),
        Verdict.DENY,
        (_UNKNOWN,),
        policies=_TEAM_ONLY,
    ),
    Case(
        "a value of the pattern is allowed",
        deployment({"aicost.dev/cost-center": "cc-123"}),
        Verdict.ALLOW,
        policies=(policy(_PATTERN),),
    ),
    Case(
        "a value of the list is allowed beside the pattern",
        deployment({"aicost.dev/cost-center": "shared"}),
        Verdict.ALLOW,
        policies=(policy(_PATTERN),),
    ),
    Case(
        "a pattern has to match the whole value",
        deployment({"aicost.dev/cost-center": "xcc-1234"}),
        Verdict.DENY,
        (_UNKNOWN,),
        policies=(policy(_PATTERN),),
    ),
    Case(
        "a name that breaks the convention is told so",
        deployment({"aicost.dev/project": "ranker"}),
        Verdict.DENY,
        (ProblemCode.CONVENTION,),
        policies=(policy(_CONVENTION),),
    ),
    Case(
        "a name that follows the convention in other letters is rewritten",
        deployment({"aicost.dev/project": "Ranker-2026"}),
        Verdict.ALLOW,
        changes=(("", "aicost.dev/project", "ranker-2026"),),
        policies=(policy(_CONVENTION),),
    ),
    Case(
        "a ConfigMap's value is allowed",
        deployment({"aicost.dev/product": "search"}),
        Verdict.ALLOW,
        policies=(policy(_PRODUCT),),
    ),
    Case(
        "a value that the ConfigMap does not hold is unknown",
        deployment({"aicost.dev/product": "serach"}),
        Verdict.DENY,
        (_UNKNOWN,),
        policies=(policy(_PRODUCT),),
    ),
    Case(
        "a ConfigMap that cannot be read refuses nobody",
        deployment({"aicost.dev/product": "anything"}),
        Verdict.ALLOW,
        policies=(policy(replace(_PRODUCT, allowed=AllowedValues(config_map=MISSING_VALUES))),),
    ),
    Case(
        "a key of one's own is judged under its own label",
        deployment({"acme.example/owner": "dana"}),
        Verdict.ALLOW,
        policies=(policy(_OWNER),),
    ),
    Case(
        "a key of one's own is missing like any other",
        deployment({"aicost.dev/owner": "dana"}),
        Verdict.DENY,
        (ProblemCode.MISSING,),
        policies=(policy(_OWNER),),
    ),
    Case(
        "a key that keeps case tells spellings apart",
        deployment({"acme.example/Tier": "gold"}),
        Verdict.DENY,
        (_UNKNOWN,),
        policies=(policy(_EXACT),),
    ),
    Case(
        "a key that keeps case is left as it is written",
        deployment({"acme.example/Tier": "Gold"}),
        Verdict.ALLOW,
        policies=(policy(_EXACT),),
    ),
    Case(
        "a model's label stands for a name with a slash",
        deployment({"aicost.dev/model": "Meta-Llama--Llama-3.1-8B"}),
        Verdict.ALLOW,
        changes=(("", "aicost.dev/model", "meta-llama--llama-3.1-8b"),),
        policies=(policy(_MODEL),),
    ),
    Case(
        "a team's own namespace may use its name",
        deployment({_TEAM: "vision"}, namespace="vision"),
        Verdict.ALLOW,
        policies=_BOUND,
    ),
    Case("another team's name is refused", deployment({_TEAM: "vision"}), Verdict.DENY, (_FOREIGN,), (), _BOUND),
    Case(
        "another team's name is refused under Warn too",
        deployment({_TEAM: "vision"}),
        Verdict.DENY,
        (_FOREIGN,),
        policies=(policy(BOUND_TEAM, mode=Mode.WARN),),
    ),
    Case(
        "another team's name is only counted under Audit",
        deployment({_TEAM: "vision"}),
        Verdict.ALLOW,
        (_FOREIGN,),
        policies=(policy(BOUND_TEAM, mode=Mode.AUDIT),),
    ),
    Case(
        "another team's name in other letters, or by an alias of the key, is refused",
        deployment({"squad": "VISION"}),
        Verdict.DENY,
        (_FOREIGN,),
        policies=_BOUND,
    ),
    Case(
        "another team's name on a template is refused",
        deployment({_TEAM: "research"}, {_TEAM: "vision"}),
        Verdict.DENY,
        (_FOREIGN,),
        policies=_BOUND,
    ),
    Case(
        "another team's name by way of a ServiceAccount is refused",
        deployment(spec=pod_spec(8, "liar")),
        Verdict.DENY,
        (_FOREIGN,),
        policies=_BOUND,
    ),
    Case(
        "a value may be bound to namespaces by their labels",
        deployment({_TEAM: "vision"}, namespace="lab"),
        Verdict.ALLOW,
        policies=(policy(replace(TEAM, allowed=AllowedValues(("vision",), bound={"vision": labelled(tier="lab")}))),),
    ),
    Case(
        "a GPU that the team may not use is refused",
        deployment({_TEAM: "vision"}, spec=pod_spec(8, "", _H100)),
        Verdict.DENY,
        (ProblemCode.GPU_MODEL,),
        policies=_uses(_USES),
    ),
    Case(
        "a GPU that the team may use is let in",
        deployment({_TEAM: "vision"}, spec=pod_spec(8, "", _L4)),
        Verdict.ALLOW,
        policies=_uses(_USES),
    ),
    Case(
        "a rule of use says nothing of other teams",
        deployment({_TEAM: "research"}, spec=pod_spec(8, "", _H100)),
        Verdict.ALLOW,
        policies=_uses(_USES),
    ),
    Case(
        "who does not say which GPU gets a warning at most",
        deployment({_TEAM: "vision"}),
        Verdict.WARN,
        (ProblemCode.GPU_MODEL,),
        policies=_uses(_USES),
    ),
    Case(
        "a rule of use has its own mode",
        deployment({_TEAM: "vision"}, spec=pod_spec(8, "", _H100)),
        Verdict.WARN,
        (ProblemCode.GPU_MODEL,),
        policies=_uses(replace(_USES, mode=Mode.WARN)),
    ),
    Case(
        "a model that is not permitted in production is refused",
        deployment(
            {_TEAM: "vision", "aicost.dev/stage": "production"},
            spec=pod_spec(8, "", model="mistralai/Mistral-7B"),
        ),
        Verdict.DENY,
        (ProblemCode.MODEL,),
        policies=_uses(_MODELS),
    ),
    Case(
        "a model of a permitted family is let in",
        deployment({_TEAM: "vision", "aicost.dev/stage": "production", "aicost.dev/model": "meta-llama--llama-3.1-8b"}),
        Verdict.ALLOW,
        policies=_uses(_MODELS),
    ),
    Case(
        "a rule of use for production says nothing of an experiment",
        deployment({_TEAM: "vision", "aicost.dev/stage": "experiment", "aicost.dev/model": "mistralai--mistral-7b"}),
        Verdict.ALLOW,
        policies=_uses(_MODELS),
    ),
    Case(
        "a provider that is not permitted is refused",
        deployment({_TEAM: "vision"}, spec=pod_spec(8, "", {"eks.amazonaws.com/nodegroup": "gpu"})),
        Verdict.DENY,
        (ProblemCode.PROVIDER,),
        policies=_uses(_CLOUDS),
    ),
    Case(
        "a provider that is permitted is let in",
        deployment({_TEAM: "vision"}, spec=pod_spec(8, "", {"cloud.google.com/gke-nodepool": "gpu"})),
        Verdict.ALLOW,
        policies=_uses(_CLOUDS),
    ),
)

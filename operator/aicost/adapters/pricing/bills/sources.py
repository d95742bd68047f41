"""Who can be asked what was spent: providers for their bills, gateways for what they saw."""

from aicost.adapters.pricing.bills.asking import APIS, CostReader
from aicost.adapters.pricing.bills.keys import AccountKey
from aicost.adapters.pricing.bills.litellm.asking import LitellmReader
from aicost.adapters.pricing.bills.litellm.daily import LITELLM_DAILY, DailyReader
from aicost.adapters.pricing.bills.litellm.rows import LITELLM
from aicost.ports.bills import BillSource

KNOWN = (*APIS, LITELLM, LITELLM_DAILY)


def bill_source(provider: str, key: AccountKey, url: str | None) -> BillSource:
    """Opens a provider or a gateway.

    Args:
        provider: one of `KNOWN`.
        key: that of an administrator.
        url: its address; None for the provider's own.

    Raises:
        InvalidRequest: the address is none, or is missing where there is no usual one.
    """
    if provider == LITELLM:
        return LitellmReader(key, url)
    return DailyReader(key, url) if provider == LITELLM_DAILY else CostReader(provider, key, url)

"""Who may do what: rights and roles, the same rules for IAM, and billing codes with quotas."""

from snapkit.access.billing import BillingCode, Charge, Quota, QuotaWarning, State, Verdict, charge, check_charge
from snapkit.access.iam import policies, principal_tags, to_iam
from snapkit.access.rights import ACTIONS, Access, Belonging, Qualifier, Right, Role, Tagged, named

__all__ = [
    "ACTIONS",
    "Access",
    "Belonging",
    "BillingCode",
    "Charge",
    "Qualifier",
    "Quota",
    "QuotaWarning",
    "Right",
    "Role",
    "State",
    "Tagged",
    "Verdict",
    "charge",
    "check_charge",
    "named",
    "policies",
    "principal_tags",
    "to_iam",
]

"""Dialogs in a notebook or on a page, one for each operation; none has rules of its own."""

from snapkit.forms.archive import ArchiveForm, RestoreFromArchiveForm
from snapkit.forms.attach import AttachForm, DetachForm
from snapkit.forms.copy import CopyForm
from snapkit.forms.create_volume import CreateVolumeForm
from snapkit.forms.delete import DeleteForm
from snapkit.forms.export import ExportForm
from snapkit.forms.form import Form
from snapkit.forms.lock import LockForm, UnlockForm
from snapkit.forms.make_snapshot import MakeSnapshotForm
from snapkit.forms.plan import PlanForm
from snapkit.forms.protect import LeaveForm, ProtectForm
from snapkit.forms.recycle_bin import BinForm
from snapkit.forms.share import ShareForm
from snapkit.forms.strategy import StrategyForm

__all__ = [
    "ArchiveForm",
    "AttachForm",
    "BinForm",
    "CopyForm",
    "CreateVolumeForm",
    "DeleteForm",
    "DetachForm",
    "ExportForm",
    "Form",
    "LeaveForm",
    "LockForm",
    "MakeSnapshotForm",
    "PlanForm",
    "ProtectForm",
    "RestoreFromArchiveForm",
    "ShareForm",
    "StrategyForm",
    "UnlockForm",
]

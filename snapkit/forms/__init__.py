"""Dialogs in a notebook or on a page, one for each operation; none has rules of its own."""

from snapkit.forms.archive import ArchiveForm, RestoreFromArchiveForm
from snapkit.forms.attach import AttachForm, DetachForm
from snapkit.forms.copy import CopyForm
from snapkit.forms.create_volume import CreateVolumeForm
from snapkit.forms.delete import DeleteForm
from snapkit.forms.form import Form
from snapkit.forms.lock import LockForm
from snapkit.forms.make_snapshot import MakeSnapshotForm
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
    "Form",
    "LockForm",
    "MakeSnapshotForm",
    "RestoreFromArchiveForm",
    "ShareForm",
    "StrategyForm",
]

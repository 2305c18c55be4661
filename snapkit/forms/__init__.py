"""Dialogs in a notebook or on a page, one for each operation; none has rules of its own."""

from snapkit.forms.attach import AttachForm, DetachForm
from snapkit.forms.create_volume import CreateVolumeForm
from snapkit.forms.form import Form
from snapkit.forms.make_snapshot import MakeSnapshotForm
from snapkit.forms.share import ShareForm

__all__ = ["AttachForm", "CreateVolumeForm", "DetachForm", "Form", "MakeSnapshotForm", "ShareForm"]

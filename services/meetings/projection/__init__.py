"""What people look at, stream by stream, and the directory that all of it is read with."""

from pydantic import BaseModel, ConfigDict

from services.campaign.directory import FOLLOWS, Directory, fold
from shared.views import ledger

directory = ledger("directory", Directory, fold, FOLLOWS)


class Document(BaseModel):
    """A part of a document."""

    model_config = ConfigDict(frozen=True)

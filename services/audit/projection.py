"""What audit keeps of the log beside the tree: who is who in a school."""

from services.campaign.directory import FOLLOWS, Directory, fold
from shared.views import ledger

directory = ledger("directory", Directory, fold, FOLLOWS)

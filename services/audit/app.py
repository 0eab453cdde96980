"""Audit, assembled."""

from services.audit import keeper, projection, queries
from services.campaign.directory import erased, who
from shared.runtime import Service

service = Service(
    name="audit",
    directory=projection.directory,
    who=who,
    erased=erased,
    queries={
        queries.NewestCheckpoint: queries.newest_checkpoint,
        queries.InclusionProof: queries.inclusion,
        queries.ConsistencyProof: queries.consistency,
    },
    chores=(keeper.keep,),
    parting=keeper.sign_the_rest,
    wrong=keeper.wrong,
)

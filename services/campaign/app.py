"""Campaign, assembled."""

from services.campaign import projection, queries, tables
from services.campaign.directory import erased, who
from services.campaign.domain import (
    account,
    bureau,
    calendar,
    campaign,
    erasure,
    inspection,
    person,
    school,
    unit,
)
from shared.runtime import Service, Stream

service = Service(
    name="campaign",
    directory=projection.directory,
    who=who,
    erased=erased,
    streams=(
        Stream(school.decider, "schools", queries.nothing),
        Stream(calendar.decider, "calendars", queries.directory_of_the_school),
        Stream(unit.decider, "units", queries.directory_of_the_school),
        Stream(person.decider, "people", queries.directory_of_the_school),
        Stream(erasure.decider, "erasures", queries.erasure_facts),
        Stream(account.decider, "accounts", queries.directory_of_the_school),
        Stream(bureau.decider, "bureaus", queries.directory_of_the_school),
        Stream(campaign.decider, "campaigns", queries.directory_of_the_school),
        Stream(inspection.decider, "inspections", queries.directory_of_the_school),
    ),
    views=(
        projection.schools,
        projection.units,
        projection.people,
        projection.erasures,
        projection.accounts,
        projection.bureaus,
        projection.calendars,
        projection.campaigns,
        projection.inspections,
    ),
    queries={
        queries.School: queries.school,
        queries.Units: queries.all_units,
        queries.People: queries.roster,
        queries.Person: queries.person,
        queries.Me: queries.myself,
        queries.Erasures: queries.all_erasures,
        queries.Accounts: queries.account_holders,
        queries.Bureaus: queries.all_bureaus,
        queries.Calendar: queries.calendar,
        queries.Campaigns: queries.all_campaigns,
        queries.Campaign: queries.campaign,
        queries.Settings: queries.settings,
        queries.Inspections: queries.all_inspections,
        queries.Inspection: queries.inspection,
    },
    founding=school.EnrolSchool,
    tables=(tables.roster, tables.units),
)

"""Campaign: the plan, the people and the calendar that everything else is measured by."""

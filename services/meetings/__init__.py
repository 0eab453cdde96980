"""People meet, criticise, settle and report; what they wrote beforehand and how members were appraised."""

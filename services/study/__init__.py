"""Study: what is read, discussed and written, who was there, and the six ones of leaders and members."""

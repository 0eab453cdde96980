from hypothesis import settings

# A busy machine is not a broken rule; the fast loop stays fast.
settings.register_profile("calm", deadline=None, max_examples=50)
settings.load_profile("calm")

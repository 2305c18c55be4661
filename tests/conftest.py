"""What all tests share."""

from hypothesis import HealthCheck, settings

# The same examples in every run, and no clock: a busy machine must not fail a test.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

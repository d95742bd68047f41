"""What all tests share."""

import os

from hypothesis import settings

pytest_plugins = ["support.cluster"]

# A slow machine is no failed property. The build looks at the same examples each time, so that a failure can be
# repeated; by hand each run looks at new ones.
settings.register_profile("by-hand", deadline=None)
settings.register_profile("build", deadline=None, derandomize=True)
settings.load_profile("build" if os.environ.get("CI") else "by-hand")

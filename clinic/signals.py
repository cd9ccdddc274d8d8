"""What the practice tells the apps above, in the same transaction. Receivers are one line, and do nothing twice."""
from django.dispatch import Signal

provider_user_changed = Signal()  # provider, by: somebody signs in as this provider, or somebody else, or nobody any more

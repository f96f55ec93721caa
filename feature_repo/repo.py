"""What `feast apply` reads: the platform's views and services, as names of this module.

The platform itself registers the same definitions in process, on publishing. The one module below training that looks
up to it: a feature service is a product's.
"""

from feature_repo import settings
from feature_repo.plan import declared_views
from feature_repo.versions import current
from feature_repo.views import definitions
from training.products import PRODUCTS

for _each in definitions(declared_views(), current(settings.load().root / "offline"), PRODUCTS.values()):
    globals()[f"{type(_each).__name__}_{_each.name}"] = _each

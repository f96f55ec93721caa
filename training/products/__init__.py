"""Every product, in one list. A new one is a file beside this and a line here."""

from training.product import Product
from training.products.task_assignment import task_assignment
from training.products.task_performance import task_performance

PRODUCTS: dict[str, Product] = {product.name: product for product in (task_assignment, task_performance)}

"""Every product, in one list. A new one is a file beside this and a line here."""

from training.product import Product
from training.products.career import career
from training.products.learning import learning
from training.products.skill_demand import skill_demand
from training.products.skill_gap import skill_gap
from training.products.talent_job_match import talent_job_match
from training.products.task_assignment import task_assignment
from training.products.task_performance import task_performance

PRODUCTS: dict[str, Product] = {
    product.name: product
    for product in (
        task_assignment,
        task_performance,
        talent_job_match,
        skill_gap,
        learning,
        career,
        skill_demand,
    )
}

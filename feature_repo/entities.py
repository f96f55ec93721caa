"""What features are about. An entity has one join key; some are known through another column."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entity:
    """A kind of thing with a key, such as a person.

    through: the qualified column that holds this entity's key when the spine does not, such as task__project_id.
    """

    name: str
    key: str
    through: str = ""


person = Entity("person", "person_id")
task = Entity("task", "task_id")
project = Entity("project", "project_id", through="task__project_id")
breakdown = Entity("breakdown", "breakdown_id", through="task__breakdown_id")
subcategory = Entity("subcategory", "subcategory_id", through="task__subcategory_id")
raiser = Entity("raiser", "raiser_id", through="task__raiser_id")
category = Entity("category", "category", through="task__category")
priority = Entity("priority", "priority_key", through="wording__priority_key")
everybody = Entity("everybody", "everybody_key", through="wording__everybody_key")
title = Entity("title", "title_key", through="wording__title_key")
head = Entity("head", "head_key", through="wording__head_key")
estimate = Entity("estimate", "estimate_key", through="wording__estimate_key")
words = tuple(Entity(f"word_{n}", f"word_{n}_key", through=f"wording__word_{n}_key") for n in range(1, 5))

"""What features are about. An entity has one join key; some are known through another column."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entity:
    """A kind of thing with a key, such as a person.

    through: the qualified column that holds this entity's key when the spine does not, such as task__project_id.
    listed: streams that list all of its kind, each with the field that holds the id; without any, all ids are known.
    is_one: whether there is one only, whatever a question is about: what it holds is known without a key.
    """

    name: str
    key: str
    through: str = ""
    listed: tuple[tuple[str, str], ...] = ()
    is_one: bool = False


def _listed(name: str, key: str, stream: str) -> Entity:
    return Entity(name, key, listed=((stream, key),))


person = _listed("person", "person_id", "people")
task = _listed("task", "task_id", "tasks")
project = Entity("project", "project_id", through="task__project_id")
breakdown = Entity("breakdown", "breakdown_id", through="task__breakdown_id")
subcategory = Entity("subcategory", "subcategory_id", through="task__subcategory_id")
raiser = Entity("raiser", "raiser_id", through="task__raiser_id")
category = Entity("category", "category", through="task__category")
priority = Entity("priority", "priority_key", through="wording__priority_key")
everybody = Entity("everybody", "everybody_key", through="wording__everybody_key", is_one=True)
title = Entity("title", "title_key", through="wording__title_key")
head = Entity("head", "head_key", through="wording__head_key")
estimate = Entity("estimate", "estimate_key", through="wording__estimate_key")
words = tuple(Entity(f"word_{n}", f"word_{n}_key", through=f"wording__word_{n}_key") for n in range(1, 5))
job = _listed("job", "job_id", "jobs")
skill = _listed("skill", "skill_id", "skills")
content = _listed("content", "content_id", "contents")
occupation = _listed("occupation", "occupation_id", "occupations")
target = Entity("target", "target_id", listed=(("jobs", "job_id"), ("occupations", "occupation_id")))
"""A job or an occupation: what a person may want to become fit for."""
taught_skill = Entity("taught_skill", "skill_id", through="content__skill_id")
demanded_skill = _listed("demanded_skill", "skill_id", "skill_demand")
"""A skill whose demand is followed over time."""

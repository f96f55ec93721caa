"""What belongs to a thing, such as the skills of a person, as lists: one row for each instant at which it changed."""

import ibis
from ibis.expr import types as ir


def collected(rows: ir.Table, key: str, item: str, **lists: str) -> ir.Table:
    """At each instant at which what belongs to a key changed: all that was known then, the latest version of each item.

    rows: key, item, recorded_at and what is listed. lists: the list's name = the column that it holds, all in the order
    of the items. Gives key, event_timestamp, created_timestamp and the lists.
    """
    changes = rows.select(changed=key, changed_at="recorded_at").distinct()
    known = changes.join(rows, [changes.changed == rows[key], rows.recorded_at <= changes.changed_at])
    latest = ibis.window(group_by=[known.changed, known.changed_at, known[item]], order_by=ibis.desc(known.recorded_at))
    known = known.mutate(age=ibis.row_number().over(latest)).filter(ibis._.age == 0)
    held = {name: known[column].collect(order_by=known[item], include_null=True) for name, column in lists.items()}
    found = known.group_by(**{key: "changed", "event_timestamp": "changed_at"}).agg(**held)
    return found.mutate(created_timestamp=found.event_timestamp)

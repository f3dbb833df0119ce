"""The demo source hacker_news: what happens there in a day."""

from __future__ import annotations

from databases import Database
from demo_days import Days

DAY_COUNT = 10
NEWEST = "select last_value from item_id_seq"
TREE = (
    "with recursive below as (select id, 0 as depth from item where id = %s union all "
    "select item.id, depth + 1 from below inner join item on item.parent = below.id) "
    "select max(depth) from below"
)


def test_a_day_at_hacker_news(source: Database) -> None:
    days = Days("hacker_news", source)
    days.tick()  # the first has a day before it that is thin
    before = days.keys("item", "id")
    edited = dict(source.query("select id, md5(api_item::text) from api_item"))
    newest = source.scalar(NEWEST)
    late = {id_ for (id_,) in source.query("select id from demo.withdrawn")}
    days.tick()
    after = days.keys("item", "id")

    assert len(before - after) == 1, "one is gone"
    assert late
    assert late <= after - before, "those that were gone or late are there"
    assert {id_ for id_ in after - before if id_ <= newest} == late
    assert len({id_ for id_ in after if id_ > newest}) >= 10
    now = dict(source.query("select id, md5(api_item::text) from api_item"))
    assert sum(now[id_] != hashed for id_, hashed in edited.items() if id_ in now) >= 5
    assert source.scalar("select count(*) from item where deleted and id > 400") >= 0
    assert source.scalar(NEWEST) >= max(after)


def test_ids_grow_with_time_and_answers_follow_what_they_answer(source: Database) -> None:
    days = Days("hacker_news", source)
    for _ in range(DAY_COUNT):  # the story catches up with the clock on the wall after seven days
        newest = source.scalar(NEWEST)
        days.tick()
        assert source.scalar(NEWEST) > newest
    assert (
        source.scalar(
            "select count(*) from item as a inner join item as b on a.id < b.id and a.time > b.time"
        )
        == 0
    )
    assert source.scalar("select count(*) from item where parent >= id or poll >= id") == 0


def test_the_api_has_what_the_tree_has(source: Database) -> None:
    Days("hacker_news", source)
    story = source.scalar("select id from demo.posted where (story_no, n) = (7, 0)")
    assert source.scalar(TREE, [story]) == 40
    (document,) = source.query(
        "select document::json ->> 'descendants', json_array_length(document::json -> 'kids'), "
        "document::json ->> 'type' from api_item where id = %s",
        [story],
    )
    assert document == ("39", 1, "story"), "one of the forty is deleted"

-- The next day at the demo source `hacker_news`. Its cost grows with a day's changes, not with the
-- tables.
--
-- What happens on each day:
--   at least 4 stories appear, and the comments of this day on them and on those before
--   of the day before: the stories gain points, and one without answers gets another title;
--   1 in 3 comments is edited, 1 with answers is deleted, 1 killed; 1 without answers is gone
--   1 new comment is not to be seen; it is there on the next day, and so is the one that was gone

update demo.clock
set
    tick = tick + 1,
    day_before_at = story_at,
    story_at = demo.day_after(story_at);

-- What was gone is back, and what was late is there.
with back as (
    delete from demo.withdrawn
    where returns_at <= (select tick from demo.clock)
    returning *
)

insert into public.item
select id, type, by, time, text, parent, poll, url, score, title, deleted, dead from back;

-- What the last days have, before today comes.
create temporary table recent on commit drop as
select
    item.*,
    posted.story_no,
    posted.n,
    no_answer,
    row_number() over (partition by item.type, no_answer order by item.id desc) as place
from public.item
inner join demo.posted on item.id = posted.id
cross join lateral (
    select not exists (select 1 from public.item as kid where kid.parent = item.id) as no_answer
) as answers
cross join (select max(time) as latest from public.item) as newest
where item.time > newest.latest - 86400
    and item.deleted is null
    and item.dead is null
    and posted.story_no > 20;

update public.item
set score = item.score + 1 + demo.below(30, item.id, clock.tick)
from demo.clock
where item.type <> 'comment' and item.deleted is null and item.id in (select id from recent);

update public.item
set title = item.title || ' [updated]'
from recent
where item.id = recent.id and recent.type = 'story' and no_answer and place = 1;

update public.item
set text = item.text || '<p>Edit: typo, day ' || clock.tick || '.'
from recent
cross join demo.clock
where item.id = recent.id and recent.type = 'comment' and recent.n % 3 = 1;

update public.item
set deleted = true, by = null, text = null
from recent
where item.id = recent.id and recent.type = 'comment' and not no_answer and place = 1;

update public.item
set dead = true
from recent
where item.id = recent.id and recent.type = 'comment' and no_answer and place = 2;

with gone as (
    delete from public.item
    using recent
    where item.id = recent.id and recent.type = 'comment' and no_answer and place = 1
    returning item.*
)

insert into demo.withdrawn
select gone.*, clock.tick + 1
from gone
cross join demo.clock;

-- Today.
select demo.plan_stories(
    day_before_at, story_at, greatest(4, round(600 * scale / 365))::integer
)
from demo.clock;

select demo.post(day_before_at, story_at) from demo.clock;

with late as (
    delete from public.item
    where id = (
        select max(item.id)
        from public.item
        cross join demo.clock
        where item.type = 'comment'
            and item.time > extract(epoch from clock.day_before_at)
            and item.id < (select max(id) from public.item)
            and not exists (select 1 from public.item as kid where kid.parent = item.id)
    )
    returning *
)

insert into demo.withdrawn
select late.*, clock.tick + 1
from late
cross join demo.clock;

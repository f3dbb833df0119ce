-- What a day brings to `hacker_news`, at its beginning and with each tick alike.

-- How far the story has come: one row, that each tick moves on by a day.
create table demo.clock (
    scale numeric not null,
    tick integer not null,
    day_before_at timestamptz not null,
    story_at timestamptz not null
);

-- The stories of all days so far, and how many comments each gets within its 40 hours.
create table demo.story (
    story_no integer primary key,
    posted_at timestamptz not null,
    comments integer not null
);

create index on demo.story (posted_at);

-- What was taken away and comes back.
create table demo.withdrawn (like public.item, returns_at integer);

create function demo.story_type(story_no integer) returns text
language sql immutable parallel safe
return case when story_no % 23 = 0 then 'job' when story_no % 29 = 0 then 'poll' else 'story' end;

-- Stories at even distances after a moment.
create function demo.plan_stories(after timestamptz, until timestamptz, stories integer)
returns void
language sql
begin atomic
    insert into demo.story
    select
        first_no + i,
        after + (until - after) * ((i + demo.uniform(first_no + i, 21)) / (stories + 1)),
        case
            when demo.story_type(first_no + i) = 'job' then 0
            when first_no + i = 7 then 40 -- a thread in which each answers the one before
            else floor(-7.5 * ln(1 - demo.uniform(first_no + i, 22)))::integer
        end
    from generate_series(0, stories - 1) as series (i)
    cross join (select coalesce(max(story_no), 0) + 1 as first_no from demo.story) as last_story;
end;

-- When each story, poll option and comment of the time after `after`, until `until`, is posted.
-- Comments come early rather than late, and never in another order.
create function demo.post_times(after timestamptz, until timestamptz)
returns table (posted_at timestamptz, story_no integer, n integer)
language sql stable
begin atomic
    select posted_at, story_no, n
    from demo.story
    cross join lateral (
        select 0 as n
        union all
        select 1000 + i
        from generate_series(1, 3) as series (i)
        where demo.story_type(story_no) = 'poll'
    ) as posts
    where posted_at > after and posted_at <= until
    union all
    select commented_at, story_no, n
    from (
        select
            story_no,
            n,
            posted_at + interval '1 minute' + interval '40 hours' * power(
                (n - 1 + demo.uniform(story_no * 2000::bigint + n, 23)) / comments, 2.5
            ) as commented_at
        from demo.story
        cross join lateral generate_series(1, comments) as series (n)
        where posted_at > after - interval '41 hours' and posted_at <= until
    ) as comment_times
    where commented_at > after and commented_at <= until;
end;

-- Posts the planned stories, poll options and comments of the time after `after`, until `until`.
create function demo.post(after timestamptz, until timestamptz) returns void
language sql
begin atomic
    -- Of all ids, 1 in 97 is left out: an item that was never published.
    insert into demo.posted (story_no, n, id)
    select
        story_no,
        n,
        (select last_value from public.item_id_seq) + place + place / 97
    from (
        select story_no, n, row_number() over (order by posted_at, story_no, n) as place
        from demo.post_times(after, until)
    ) as ordered;

    insert into public.item (id, type, by, time, text, parent, poll, url, score, title)
    select
        posted.id,
        item_type,
        demo.user_name(key, 31),
        extract(epoch from posted_at)::bigint,
        case
            when item_type = 'comment' then demo.prose(key, 1 + demo.below(4, key, 32))
            when item_type = 'pollopt' then 'Option ' || (posted.n - 1000)
            when item_type = 'job' or posted.story_no % 9 = 0 then demo.prose(key, 3)
        end,
        case when item_type = 'comment' then parent.id end,
        case when item_type = 'pollopt' then story.id end,
        case
            when item_type = 'story' and posted.story_no % 9 <> 0
                then 'https://' || demo.host(posted.story_no) || '/' || posted.story_no
        end,
        case when item_type <> 'comment' then 1 + floor(90 * power(demo.uniform(key, 33), 4)) end,
        case
            when posted.n > 0 then null
            when item_type = 'job' then 'Example Labs (YC S21) is hiring a compiler engineer'
            when item_type = 'poll' then 'Poll: what do you edit with?'
            when posted.story_no % 9 = 0 then 'Ask HN: ' || demo.story_title(posted.story_no) || '?'
            when posted.story_no % 11 = 0 then 'Show HN: ' || demo.story_title(posted.story_no)
            else demo.story_title(posted.story_no)
        end
    from (
        select
            posted_at,
            story_no,
            n,
            story_no * 2000::bigint + n as key,
            case
                when n > 1000 then 'pollopt'
                when n > 0 then 'comment'
                else demo.story_type(story_no)
            end as item_type
        from demo.post_times(after, until)
    ) as new
    inner join demo.posted on new.story_no = posted.story_no and new.n = posted.n
    inner join demo.posted as story on posted.story_no = story.story_no and story.n = 0
    left join demo.posted as parent
        on posted.story_no = parent.story_no
        and parent.n = case
            when posted.story_no = 7 then posted.n - 1
            when posted.n = 1 or demo.uniform(key, 34) < 0.3 then 0
            else 1 + demo.below(posted.n - 1, key, 35)
        end;

    select setval('public.item_id_seq', greatest(last_value, max(id)))
    from public.item_id_seq
    cross join demo.posted
    group by last_value;
end;

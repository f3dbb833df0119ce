-- The tables of `hacker_news`, and the view that its API serves.

-- One row per item that exists. Ids come from a sequence and some are never used.
create table public.item (
    id bigint primary key,
    type text not null,
    by text,
    time bigint not null,
    text text,
    parent bigint,
    poll bigint,
    url text,
    score integer,
    title text,
    deleted boolean,
    dead boolean
);

create index on public.item (parent) where parent is not null;
create index on public.item (poll) where poll is not null;
create index on public.item (time);

create sequence public.item_id_seq minvalue 0 start 0;

-- Which story an item belongs to: the 0th is the story itself. Above 1000 are a poll's options.
create table demo.posted (
    story_no integer,
    n integer,
    id bigint not null unique,
    primary key (story_no, n)
);

create view public.api_item as
select
    id,
    json_strip_nulls(json_build_object(
        'id', id,
        'type', type,
        'by', by,
        'time', time,
        'text', text,
        'deleted', deleted,
        'dead', dead,
        'parent', parent,
        'poll', poll,
        'url', url,
        'score', score,
        'title', title,
        'kids', (
            select json_agg(kid.id order by kid.id)
            from public.item as kid
            where kid.parent = item.id and kid.deleted is null
        ),
        'parts', (
            select json_agg(part.id order by part.id)
            from public.item as part
            where part.poll = item.id
        ),
        'descendants', case
            when item.type in ('story', 'poll') and deleted is null then (
                select count(*)
                from demo.posted as story
                inner join demo.posted as reply on story.story_no = reply.story_no
                inner join public.item as comment on reply.id = comment.id
                where story.id = item.id and comment.type = 'comment' and comment.deleted is null
            )
        end
    ))::text as document
from public.item;

-- The demo source `hacker_news`: stories, jobs and polls with their comments, behind an HTTP API
-- that scripts/demo_api.py serves.
--
-- Everything here is invented and depends on two settings only: `demo.scale` and `demo.as_of`. The
-- same settings give the same rows. The items of the year before the story's first day come at
-- once.
--
-- Scale 1 is about 5 000 items.
--
-- Defects, on purpose, the same at every scale, in the first 20 stories:
--   ids        1 in 97 was never published                                  (the API says null)
--   stories    1 deleted with its comments left, 1 dead                     (story 3, 4)
--              4 hosts that break careless code                             (story 5, 6, 8, 10)
--              1 url that is none, 1 title in mixed scripts with blanks     (story 12, 13)
--   comments   40 in one thread, each an answer to the one before           (story 7)
--              3 whose parent does not exist                                (below story 14)
--              1 deleted with answers, 1 dead, 1 with a text of HTML's worst (below story 7)

insert into demo.clock
select
    current_setting('demo.scale')::numeric,
    0,
    day_at - interval '365 days',
    day_at
from (select date_trunc('day', demo.now_at(), 'UTC') - interval '7 days' as day_at) as days;

select demo.plan_stories(
    day_before_at, story_at, greatest(30, round(600 * scale))::integer
)
from demo.clock;

-- Discussions that all defects fit in.
update demo.story set comments = greatest(comments, 6) where story_no in (3, 14);

select demo.post(day_before_at, story_at) from demo.clock;

-- As the API shows deleted items: without their content.
update public.item
set deleted = true, by = null, text = null, title = null, url = null, score = null
where id in (select id from demo.posted where (story_no, n) in ((3, 0), (7, 20)));

update public.item
set dead = true
where id in (select id from demo.posted where (story_no, n) in ((4, 0), (7, 40)));

update public.item
set
    url = case story_no
        when 5 then 'HTTP://WWW.Shouting.Example:8080?q=1'
        when 6 then 'https://user@odd.example#top'
        when 8 then 'https://bücher.example/ein/weg'
        when 10 then 'https://www.example.com'
        when 12 then 'not a url'
        else url
    end,
    title = case
        when story_no = 13 then '  東京の灯台 &#x2F; Cafe' || U&'\0301' || ' &lt;3 🎬 '
        else title
    end
from demo.posted
where item.id = posted.id and posted.n = 0 and posted.story_no in (5, 6, 8, 10, 12, 13);

update public.item
set parent = 97
from demo.posted
where item.id = posted.id and posted.story_no = 14 and posted.n between 1 and 3;

update public.item
set text = '<p>a &lt;b&gt; c<p><i></i>&amp;lt; "quoted" \ back<a href="x>y">z</a><p>'
from demo.posted
where item.id = posted.id and posted.story_no = 7 and posted.n = 30;

analyze;

-- What is written, by whom and where to, at `hacker_news`. Texts are HTML, as the API has them.

create function demo.user_name(key bigint, seed bigint) returns text
language sql immutable parallel safe
return demo.pick(
    array[
        'quietfox', 'nandgate', 'lambda_jo', 'tessera', 'mvogt', 'pcbpaul', 'hexane', 'rustybits',
        'ada_k', 'orbital9', 'teapot418', 'kernelkid', 'sina', 'dropbear', 'emilia-c', 'utf8guy',
        'lowercase', 'bitrot', 'harbourlight', 'xyzzy1978', 'grepmaster', 'yuki_t', 'nullable',
        'forkbomb_', 'pagefault', 'oldmodem', 'semicolon', 'vhs', 'mel', 'driftwood', 'cronjob',
        'asterix', 'baudrate', 'kestrel', 'packetloss', 'tmux_fan', 'wren', 'heisenbug', 'zigzag',
        'stdout', 'margin', 'solderjoint', 'p99', 'frotz', 'inode', 'cafe_au_lait', 'whiteboard',
        'turing_tarpit'
    ],
    key, seed
)
-- The more the site has been used, the more people use it.
|| case demo.below(3, key, seed + 1) when 0 then '' else demo.below(40, key, seed + 2)::text end;

create function demo.story_title(key bigint) returns text
language sql immutable parallel safe
return demo.pick(
    array[
        'A database in', 'Why we moved away from', 'The hidden cost of', 'How I built',
        'Reverse engineering', 'What nobody tells you about', 'A visual guide to',
        'Ten years of', 'Debugging', 'The unreasonable effectiveness of', 'In praise of',
        'Rewriting', 'An introduction to', 'Measuring', 'The end of', 'Notes on'
    ],
    key, 11
)
|| ' '
|| demo.pick(
    array[
        '300 lines of C', 'microservices', 'plain text', 'a slide rule', 'the Game Boy',
        'event sourcing', 'SQLite', 'a paper computer', 'Unicode', 'the Unix pipe', 'B-trees',
        'garbage collection', 'a mechanical clock', 'UDP', 'spreadsheets', 'mainframes',
        'the humble checkbox', 'floating point', 'time zones', 'RSS', 'regular expressions',
        'makefiles', 'a solar-powered server', 'Postgres'
    ],
    key, 12
)
|| demo.pick(array['', '', '', '', ' (2019)', ' [pdf]', ' &amp; friends', ', part II'], key, 13);

create function demo.host(key bigint) returns text
language sql immutable parallel safe
return demo.pick(
    array[
        'blog.example.com', 'www.example.com', 'code.example.org', 'news.example.net',
        'papers.example.edu', 'www.daily.example', 'video.example', 'wiki.example.org',
        'notes.example.dev', 'retro.example', 'maps.example', 'archive.example.org'
    ],
    -- A few hosts have most of the stories.
    floor(12 * power(demo.uniform(key, 14), 2))::bigint, 15
);

create function demo.sentence(key bigint) returns text
language sql immutable parallel safe
return demo.pick(
    array[
        'I&#x27;ve run this in production for years and never looked back.',
        'Has anyone measured it on <i>real</i> hardware?',
        'The article says &quot;simple&quot;, and then needs three config files.',
        'This matches my experience: 5 &lt; 10, but not by much.',
        'We tried it at work &amp; went back after a week.',
        'See <a href="https:&#x2F;&#x2F;example.com&#x2F;faq?a=1&amp;b=2" '
        || 'rel="nofollow">https:&#x2F;&#x2F;example.com&#x2F;faq?a=1&amp;b=2</a> for details.',
        'Honest question: why not a plain file?',
        '&gt; it scales to millions of users<p>Does it, though?',
        'The author is being modest – that’s a decade of work.',
        'Related discussion from last year is worth reading.',
        E'Works fine here with <pre><code>make -j4\n</code></pre> and a bit of patience.',
        'I wrote something similar in the nineties, on a 486.',
        'Great write-up, thanks for sharing!',
        'Benchmarks without error bars are decoration.',
        'Ça marche très bien, merci 🙂',
        'The trick on page 4 (the lookup table) is lovely.'
    ],
    key, 16
);

create function demo.prose(key bigint, sentences integer) returns text
language sql immutable parallel safe
return (
    select string_agg(demo.sentence(key * 8 + i), case i % 3 when 2 then '<p>' else ' ' end)
    from generate_series(1, sentences) as series (i)
);

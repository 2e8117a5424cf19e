-- A small warehouse: 5,000 customers with a plan, a monthly revenue and a day of joining.
-- Runs from scratch each time.

drop table if exists customers;

create table customers (
    user_id      integer,
    email        text,
    first_name   text,
    plan         text,
    mrr          numeric,
    signed_up_at text,
    opted_out    integer
);

with recursive
    numbers (n) as (select 1 union all select n + 1 from numbers where n < 5000),
    names (i, name) as (values (0, 'Ada'), (1, 'Grace'), (2, 'Alan'), (3, 'Edsger'), (4, 'Barbara'))
insert into customers
select
    n,
    lower(name) || '.' || n || '@example.com',
    name,
    case when n % 10 = 0 then 'enterprise' when n % 3 = 0 then 'pro' else 'free' end,
    case when n % 10 = 0 then 499.00 when n % 3 = 0 then 49.90 else 0 end,
    datetime('2024-01-01', '+' || (n * 3) || ' hours'),
    n % 97 = 0
from numbers
join names on names.i = n % 5;

-- Wrong on purpose: an address that is none, a row without a key, a key that two rows have,
-- and a day that is none.
update customers set email = 'grace.at.example.com' where user_id = 1001;
update customers set user_id = null where user_id = 2002;
update customers set user_id = 3003 where user_id = 3004;
update customers set signed_up_at = 'last summer' where user_id = 4004;

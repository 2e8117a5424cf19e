-- A day later: some upgrade, one corrects an address, three are new, two are gone.

update customers set plan = 'pro', mrr = 49.90 where user_id between 11 and 20 and plan = 'free';
update customers set email = 'grace.1001@example.com' where user_id = 1001;
insert into customers values
    (5001, 'margaret@example.com', 'Margaret', 'pro',  49.90, '2026-01-05 09:30:00', 0),
    (5002, 'dennis@example.com',   'Dennis',   'free', 0,     '2026-01-05 10:15:00', 0),
    (5003, 'radia@example.com',    'Radia',    'pro',  49.90, '2026-01-06 16:45:00', 0);
delete from customers where user_id in (4998, 4999);

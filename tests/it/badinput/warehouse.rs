//! The same Sync from a PostgreSQL database of its own.

use super::world::World;
use crate::support::postgres::{Database, Demand, postgres};

/// Enough rows that they come in many pieces.
pub const ROWS: i64 = 5_000;

/// Rows come as they are read, through the index: whatever fails late, fails after others were
/// handed over. `stuck` stays at one row until its connection ends.
const SETUP: &str = "
create table customers (user_id int primary key, email text, plan int, signed_up_at timestamptz);
insert into customers
select id, 'marked-' || id || '@example.com', 7, '2024-01-31 10:00:00+00'
from generate_series(1, 5000) id;
create function stuck(id int) returns int immutable language plpgsql as
$$ begin if id = 4999 then perform pg_sleep(600); end if; return 7; end $$;
";

/// A world whose customers are in PostgreSQL, read by a role that may read just them.
pub async fn world() -> (World, Database) {
    let mut world = World::new().await;
    let database = postgres().await.database().await;
    database.execute(SETUP).await;
    for setting in ["enable_seqscan", "enable_bitmapscan", "enable_sort"] {
        database.execute(&format!("alter database {} set {setting} = off", database.name)).await;
    }
    let role = database.role(Demand::Password, &["select on table customers"]).await;
    world.write(
        "source.yaml",
        &format!(
            "\
apiVersion: ciosync.dev/v1alpha1
kind: Source
metadata: {{name: warehouse}}
spec:
  postgres:
    host: {}
    port: {}
    database: {}
    user: {}
    password: {{secretKeyRef: {{name: warehouse, key: password}}}}
    tls: {{mode: disable}}
",
            database.host, database.port, database.name, role.user
        ),
    );
    world.write("warehouse.yaml", &secret(&role.password));
    world.hide(&role.password);
    world.mask(&format!("{}:{}", database.host, database.port), "SERVER");
    world.mask(&role.user, "USER");
    world.mask(&database.name, "DATABASE");
    (world, database)
}

/// Returns the Secret that holds the role's password.
pub fn secret(password: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: warehouse}}\nstringData: {{password: {password:?}}}\n"
    )
}

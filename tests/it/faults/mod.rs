//! What the engine can be trusted with: killed, cut off, throttled, stopped and watched, it loses
//! nothing, repeats no more than was in flight, removes nobody by mistake and tells nobody's data.
//!
//! The real binary runs against the emulator, with every request seen on its way.

mod destination;
mod edited;
mod kills;
mod ledger;
mod lock;
mod outage;
mod recorder;
mod secrecy;
mod source;
mod state;
mod style;
mod wire;
mod world;

//! Short texts that people and servers write: durations, schedules, templates, numbers, pauses.
//!
//! The first byte says which.

use ciosync::customerio::retry::parse_retry_after;
use ciosync::mapping::template::Template;
use ciosync::model::duration::GoDuration;
use ciosync::model::number::Number;
use ciosync::schedule::Cron;
use jiff::Timestamp;

const ZONES: [&str; 3] = ["UTC", "Europe/Berlin", "Australia/Lord_Howe"];

/// Fails where the law does not hold for these bytes; may be given any.
pub fn check(data: &[u8]) {
    let [which, text @ ..] = data else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    match which % 7 {
        0 => duration(text),
        1 => template(text),
        2 => number(text),
        3 => pause(text),
        zone => cron(text, ZONES[usize::from(zone - 4)]),
    }
}

fn duration(text: &str) {
    let Ok(duration) = text.parse::<GoDuration>() else { return };
    let ten_years = std::time::Duration::from_secs(10 * 366 * 24 * 3600);
    assert!(duration.get() <= ten_years, "{text} is longer than ten years");
    assert_eq!(duration.to_string().parse(), Ok(duration), "{text} is written as {duration}");
}

fn template(text: &str) {
    let Ok(template) = Template::parse(text) else { return };
    let names: Vec<&str> = template.columns().collect();
    assert!(!names.is_empty());
    for name in names {
        assert!(!name.is_empty() && !name.contains(['{', '}']), "{name} is no column");
    }
}

fn number(text: &str) {
    let Some(number) = Number::parse(text) else { return };
    let spelled = json(&number);
    let again = Number::parse(&spelled).unwrap();
    assert_eq!(json(&again), spelled, "{text} has two spellings");
    assert_eq!(again.to_i64(), number.to_i64(), "{text}");
    let (read, written) = (text.parse::<f64>(), spelled.parse::<f64>());
    assert_eq!(read, written, "{text} is written as {spelled}");
    if let Some(whole) = number.to_i64() {
        assert_eq!(whole as f64, written.unwrap(), "{text} is not {whole}");
    }
    let mut plain = Vec::new();
    if number.write_plain(&mut plain) {
        let plain = String::from_utf8(plain).unwrap();
        assert_eq!(json(&Number::parse(&plain).unwrap()), spelled, "{text} is plainly {plain}");
    }
}

fn json(number: &Number<'_>) -> String {
    let mut out = Vec::new();
    number.write_json(&mut out);
    String::from_utf8(out).unwrap()
}

fn pause(text: &str) {
    let now = Timestamp::from_second(1_772_013_598).unwrap();
    if let Some(pause) = parse_retry_after(text, now) {
        assert!(pause.as_secs() <= 3_600, "{text} asks for {pause:?}");
    }
}

fn cron(text: &str, zone: &str) {
    let Ok(cron) = Cron::parse(text, zone) else { return };
    let mut slot = Timestamp::from_second(1_772_013_598).unwrap();
    for _ in 0..4 {
        let next = cron.next_after(slot).expect("what was accepted comes again");
        assert!(next > slot, "{text}: {next} comes after {slot}");
        slot = next;
    }
}

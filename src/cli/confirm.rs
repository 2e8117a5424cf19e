//! A question before what can't be taken back.

use std::io::{self, BufRead, Write};

/// Asks on the terminal, and returns whether the answer was yes.
///
/// # Errors
/// Where the terminal can't be read or written.
pub fn on_terminal(question: &str) -> io::Result<bool> {
    confirm(question, &mut io::stdin().lock(), &mut anstream::stderr().lock())
}

/// Asks, and returns whether the answer was yes. An empty answer, or none, is no.
fn confirm(question: &str, answers: &mut dyn BufRead, out: &mut dyn Write) -> io::Result<bool> {
    out.write_all(question.as_bytes())?;
    out.flush()?;
    let mut answer = String::new();
    answers.read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        let answered = |answer: &str| {
            let mut asked = Vec::new();
            let answer = confirm("Forget? ", &mut answer.as_bytes(), &mut asked).unwrap();
            assert_eq!(asked, b"Forget? ");
            answer
        };

        assert!(["y\n", "YES\n", " yes "].map(answered).iter().all(|yes| *yes));
        assert!(["", "\n", "n\n", "yesterday\n"].map(answered).iter().all(|yes| !yes));
    }
}

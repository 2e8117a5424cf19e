//! Medians, ratios and verdicts.

use crate::say;

/// Returns the middle of some figures.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Figures measured in turn.
#[derive(Default)]
pub struct Pairs(Vec<(f64, f64)>);

impl Pairs {
    /// Adds a figure and what it is held against.
    pub fn push(&mut self, figure: f64, base: f64) {
        self.0.push((figure, base));
    }

    /// Prints the pairs under `name` and returns the median of their ratios.
    pub fn ratio(&self, name: &str) -> f64 {
        let pairs: Vec<String> =
            self.0.iter().map(|(figure, base)| format!("{figure:.3}/{base:.3}")).collect();
        say(&format!("{name}: {}", pairs.join("  ")));
        median(&self.0.iter().map(|(figure, base)| figure / base).collect::<Vec<_>>())
    }
}

/// A figure held against its target.
pub struct Verdict {
    name: String,
    figure: f64,
    target: f64,
    is_ceiling: bool,
}

impl Verdict {
    /// Returns the verdict on a figure that should be at most `target`.
    pub fn at_most(name: &str, figure: f64, target: f64) -> Self {
        Self { name: name.to_owned(), figure, target, is_ceiling: true }
    }

    /// Returns the verdict on a figure that should be at least `target`.
    pub fn at_least(name: &str, figure: f64, target: f64) -> Self {
        Self { name: name.to_owned(), figure, target, is_ceiling: false }
    }

    /// Returns the verdict in a line.
    pub fn line(&self) -> String {
        let Self { name, figure, target, is_ceiling } = self;
        let (sign, is_met) =
            if *is_ceiling { ("<=", figure <= target) } else { (">=", figure >= target) };
        let word = if is_met { "met" } else { "MISSED" };
        format!("{name:<40} {figure:>9.3}   {sign} {target:<6}  {word}")
    }
}

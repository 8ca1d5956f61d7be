//! Reads the feature files that Elastic's agents share.

/// A scenario, or one row of an outline: its steps in order, without their first word.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) text: String,
    /// The rows below the step, without the heading.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Step {
    /// The texts between single quotes.
    pub(crate) fn quoted(&self) -> Vec<&str> {
        self.text.split('\'').skip(1).step_by(2).collect()
    }
}

/// The scenarios of a feature file of the shared data; `None` after a line that says that they were skipped.
pub(crate) fn feature(name: &str) -> Option<Vec<Scenario>> {
    let path = test_support::shared(&format!("agent/gherkin-specs/{name}"))?;
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    Some(scenarios(&text))
}

/// Every scenario of a feature, outlines expanded.
fn scenarios(feature: &str) -> Vec<Scenario> {
    let mut scenarios: Vec<(Scenario, Option<Vec<Vec<String>>>)> = Vec::new();
    for line in feature
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', '@']))
    {
        let started = line
            .strip_prefix("Scenario Outline:")
            .or_else(|| line.strip_prefix("Scenario:"));
        if let Some(name) = started {
            scenarios.push((
                Scenario {
                    name: name.trim().to_owned(),
                    steps: Vec::new(),
                },
                None,
            ));
            continue;
        }
        let Some((scenario, examples)) = scenarios.last_mut() else {
            continue;
        };
        if line == "Examples:" {
            *examples = Some(Vec::new());
        } else if let Some(row) = line.strip_prefix('|') {
            let row = row
                .trim_end_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect();
            match (examples, scenario.steps.last_mut()) {
                (Some(examples), _) => examples.push(row),
                (None, Some(step)) => step.rows.push(row),
                (None, None) => panic!("a table without a step: {line}"),
            }
        } else {
            let (_, text) = line.split_once(' ').unwrap();
            scenario.steps.push(Step {
                text: text.to_owned(),
                rows: Vec::new(),
            });
        }
    }
    let expanded = scenarios
        .into_iter()
        .flat_map(|(scenario, examples)| expand(&scenario, examples));
    expanded.map(without_headings).collect()
}

fn expand(outline: &Scenario, examples: Option<Vec<Vec<String>>>) -> Vec<Scenario> {
    let Some(examples) = examples else {
        return vec![outline.clone()];
    };
    let (names, rows) = examples.split_first().unwrap();
    rows.iter()
        .map(|row| {
            let fill = |text: &String| {
                names
                    .iter()
                    .zip(row)
                    .fold(text.clone(), |text, (name, value)| {
                        text.replace(&format!("<{name}>"), value)
                    })
            };
            let steps = outline.steps.iter().map(|step| Step {
                text: fill(&step.text),
                rows: step
                    .rows
                    .iter()
                    .map(|row| row.iter().map(fill).collect())
                    .collect(),
            });
            Scenario {
                name: format!("{} {row:?}", outline.name),
                steps: steps.collect(),
            }
        })
        .collect()
}

fn without_headings(mut scenario: Scenario) -> Scenario {
    for step in &mut scenario.steps {
        step.rows = step.rows.split_off(1.min(step.rows.len()));
    }
    scenario
}

//! The arguments, and the help.

use std::fmt::Write as _;

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Upgrade,
    Downgrade,
    Plan,
    Status,
    Current,
    History,
}

impl Verb {
    /// All commands, in the order of the help.
    pub const ALL: [Verb; 6] =
        [Verb::Upgrade, Verb::Downgrade, Verb::Plan, Verb::Status, Verb::Current, Verb::History];

    /// The command's name.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Upgrade => "upgrade",
            Verb::Downgrade => "downgrade",
            Verb::Plan => "plan",
            Verb::Status => "status",
            Verb::Current => "current",
            Verb::History => "history",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Verb::Upgrade => "Apply revisions [default: all pending ones]",
            Verb::Downgrade => "Undo revisions [default: the last one]",
            Verb::Plan => "Show in words what a run would do",
            Verb::Status => "Show on one screen where the database stands",
            Verb::Current => "Show which revision the database is at",
            Verb::History => "Show the revisions, newest first",
        }
    }

    /// The revision if none is given; `None` if the command takes none.
    fn default_revision(self) -> Option<&'static str> {
        match self {
            Verb::Upgrade | Verb::Plan => Some("head"),
            Verb::Downgrade => Some("-1"),
            Verb::Status | Verb::Current | Verb::History => None,
        }
    }
}

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    Help,
    Version,
    Run(Arguments),
}

/// A command with its options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    pub verb: Verb,
    pub revision: String,
    pub url: Option<String>,
    pub is_json: bool,
    pub is_verbose: bool,
    pub is_quiet: bool,
    pub transaction_each: Option<bool>,
    pub lock_timeout: Option<u64>,
    pub args: Vec<(String, String)>,
    pub batch_pause: Option<u64>,
    pub past_barriers: bool,
    pub resume: bool,
    pub restart: bool,
    pub dry_run: bool,
    pub allow_destructive: bool,
    pub check_heads: bool,
    pub indicate_current: bool,
}

/// An option.
struct Opt {
    long: &'static str,
    short: Option<&'static str>,
    /// The name of its value, if it has one.
    value: Option<&'static str>,
    /// The commands that have it.
    of: &'static [Verb],
    about: &'static str,
    set: fn(&mut Arguments, &str) -> Result<(), String>,
}

const RUNS: &[Verb] = &[Verb::Upgrade, Verb::Downgrade];

const OPTIONS: &[Opt] = &[
    Opt {
        long: "--url",
        short: None,
        value: Some("URL"),
        of: &Verb::ALL,
        about: "URL of the database",
        set: |args, value| {
            args.url = Some(value.to_owned());
            Ok(())
        },
    },
    Opt {
        long: "--format",
        short: None,
        value: Some("FORM"),
        of: &Verb::ALL,
        about: "Format of the results: `text` or `json`",
        set: |args, value| {
            args.is_json = one_of(value, [("text", false), ("json", true)])?;
            Ok(())
        },
    },
    Opt {
        long: "--verbose",
        short: Some("-v"),
        value: None,
        of: &Verb::ALL,
        about: "Verbose output, such as the SQL of a plan",
        set: |args, _| set(&mut args.is_verbose),
    },
    Opt {
        long: "--quiet",
        short: Some("-q"),
        value: None,
        of: &Verb::ALL,
        about: "Print only results and errors",
        set: |args, _| set(&mut args.is_quiet),
    },
    Opt {
        long: "--transaction",
        short: None,
        value: Some("WHICH"),
        of: RUNS,
        about: "One transaction for the whole run (`run`), or one for each revision (`each`)",
        set: |args, value| {
            args.transaction_each = Some(one_of(value, [("run", false), ("each", true)])?);
            Ok(())
        },
    },
    Opt {
        long: "--lock-timeout",
        short: None,
        value: Some("SECONDS"),
        of: RUNS,
        about: "Seconds to wait for other processes in total",
        set: |args, value| {
            args.lock_timeout = Some(number(value)?);
            Ok(())
        },
    },
    Opt {
        long: "--arg",
        short: Some("-x"),
        value: Some("KEY=VALUE"),
        of: RUNS,
        about: "An argument for steps, read by `db.arg(\"key\")`",
        set: |args, value| {
            let (key, value) = value.split_once('=').ok_or("expected KEY=VALUE")?;
            args.args.push((key.to_owned(), value.to_owned()));
            Ok(())
        },
    },
    Opt {
        long: "--batch-pause",
        short: None,
        value: Some("MILLISECONDS"),
        of: RUNS,
        about: "Milliseconds to pause after each piece of a step that runs in pieces",
        set: |args, value| {
            args.batch_pause = Some(number(value)?);
            Ok(())
        },
    },
    Opt {
        long: "--past-barriers",
        short: None,
        value: None,
        of: &[Verb::Upgrade, Verb::Plan],
        about: "Include revisions with a barrier, since no program of the previous release is \
                running any more",
        set: |args, _| set(&mut args.past_barriers),
    },
    Opt {
        long: "--resume",
        short: None,
        value: None,
        of: RUNS,
        about: "Continue a half-applied revision after its last finished statement, whatever the \
                statements before it say now",
        set: |args, _| set(&mut args.resume),
    },
    Opt {
        long: "--restart",
        short: None,
        value: None,
        of: RUNS,
        about: "Take back what was done of a half-applied revision, and begin it again",
        set: |args, _| set(&mut args.restart),
    },
    Opt {
        long: "--dry-run",
        short: None,
        value: None,
        of: RUNS,
        about: "Show what would be done instead, as `plan` does",
        set: |args, _| set(&mut args.dry_run),
    },
    Opt {
        long: "--allow-destructive",
        short: None,
        value: None,
        of: &[Verb::Downgrade],
        about: "Drop tables and columns that hold rows",
        set: |args, _| set(&mut args.allow_destructive),
    },
    Opt {
        long: "--check-heads",
        short: None,
        value: None,
        of: &[Verb::Current],
        about: "Exit with 1 if the database is not at the head",
        set: |args, _| set(&mut args.check_heads),
    },
    Opt {
        long: "--indicate-current",
        short: Some("-i"),
        value: None,
        of: &[Verb::History],
        about: "Mark the revisions that the database is at",
        set: |args, _| set(&mut args.indicate_current),
    },
];

fn set(flag: &mut bool) -> Result<(), String> {
    *flag = true;
    Ok(())
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "expected a number".to_owned())
}

fn one_of<T: Copy>(text: &str, choices: [(&str, T); 2]) -> Result<T, String> {
    let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| format!("expected `{}` or `{}`", choices[0].0, choices[1].0))
}

/// Parses the arguments after the program's name. The error is a message.
pub fn parse(args: &[String]) -> Result<Asked, String> {
    let mut words = Vec::new();
    let mut given: Vec<(&Opt, String)> = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-h" | "--help" | "help" => return Ok(Asked::Help),
            "-V" | "--version" => return Ok(Asked::Version),
            arg if is_option(arg) => {
                let (option, attached) =
                    find(arg).ok_or_else(|| format!("unexpected argument `{arg}`"))?;
                let value = match (option.value, attached) {
                    (Some(_), Some(value)) => value.to_owned(),
                    (Some(name), None) => args
                        .next()
                        .cloned()
                        .ok_or_else(|| format!("`{} <{name}>` needs a value", option.long))?,
                    (None, None) => String::new(),
                    (None, Some(_)) => return Err(format!("`{}` takes no value", option.long)),
                };
                given.push((option, value));
            }
            word => words.push(word),
        }
    }
    let mut words = words.into_iter();
    let Some(word) = words.next() else { return Err("a command is missing".to_owned()) };
    let verb = Verb::ALL.into_iter().find(|verb| verb.name() == word);
    let verb = verb.ok_or_else(|| format!("there is no command `{word}`"))?;
    let default = verb.default_revision();
    let mut arguments = Arguments::new(verb, default.unwrap_or_default());
    for word in words.by_ref().take(usize::from(default.is_some())) {
        word.clone_into(&mut arguments.revision);
    }
    if let Some(word) = words.next() {
        return Err(format!("unexpected argument `{word}`"));
    }
    for (option, value) in given {
        let shown = option.value.map_or(String::new(), |name| format!(" <{name}>"));
        if !option.of.contains(&verb) {
            return Err(format!("`{}` has no option `{}{shown}`", verb.name(), option.long));
        }
        (option.set)(&mut arguments, &value).map_err(|why| {
            format!("invalid value `{value}` for `{}{shown}`: {why}", option.long)
        })?;
    }
    for (is_conflict, one, other) in [
        (arguments.resume && arguments.restart, "--resume", "--restart"),
        (arguments.is_quiet && arguments.is_verbose, "--quiet", "--verbose"),
    ] {
        if is_conflict {
            return Err(format!("`{one}` cannot be used with `{other}`"));
        }
    }
    Ok(Asked::Run(arguments))
}

impl Arguments {
    fn new(verb: Verb, revision: &str) -> Arguments {
        Arguments {
            verb,
            revision: revision.to_owned(),
            url: None,
            is_json: false,
            is_verbose: false,
            is_quiet: false,
            transaction_each: None,
            lock_timeout: None,
            args: Vec::new(),
            batch_pause: None,
            past_barriers: false,
            resume: false,
            restart: false,
            dry_run: false,
            allow_destructive: false,
            check_heads: false,
            indicate_current: false,
        }
    }
}

/// Whether the argument is an option, and not a revision such as `-1`.
fn is_option(arg: &str) -> bool {
    arg.strip_prefix('-').is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The option of an argument, and the value that is attached to it: `--url=URL`, `-xKEY=VALUE`.
fn find(arg: &str) -> Option<(&'static Opt, Option<&str>)> {
    if let Some(option) = OPTIONS.iter().find(|opt| opt.long == arg || opt.short == Some(arg)) {
        return Some((option, None));
    }
    if let Some((long, value)) = arg.split_once('=').filter(|_| arg.starts_with("--")) {
        return OPTIONS.iter().find(|opt| opt.long == long).map(|opt| (opt, Some(value)));
    }
    OPTIONS.iter().find_map(|opt| {
        let value = arg.strip_prefix(opt.short?)?;
        opt.value.map(|_| (opt, Some(value)))
    })
}

/// The help.
pub fn help(program: &str, variable: &str) -> String {
    let mut text = format!(
        "Applies and undoes the migrations that this executable contains.\n\n\
         Usage: {program} <COMMAND> [REV] [OPTIONS]\n\nCommands:\n"
    );
    for verb in Verb::ALL {
        let _ = writeln!(text, "  {:<10} {}", verb.name(), verb.about());
    }
    text += "\nOptions:\n";
    for option in OPTIONS {
        let short = option.short.map_or(String::new(), |short| format!("{short}, "));
        let value = option.value.map_or(String::new(), |value| format!(" <{value}>"));
        let of = if option.of.len() == Verb::ALL.len() {
            String::new()
        } else {
            let names: Vec<_> = option.of.iter().map(|verb| verb.name()).collect();
            format!(" [{}]", names.join(", "))
        };
        let _ = writeln!(text, "  {short}{}{value}{of}\n      {}", option.long, option.about);
    }
    text += "  -h, --help\n      Print this help\n  -V, --version\n      Print which revisions the \
             executable contains\n";
    let _ = write!(
        text,
        "\nThe URL of the database is given by --url, or by the environment variable {variable}.\n\
         Revisions: a full id or the beginning of one, a branch label, head, heads, base, current, \
         +N, -N.\n\
         Exit codes: 0 done, 1 the answer is no, 2 wrong arguments, 3 failed.\n"
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Asked, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        parse(&words)
    }

    fn arguments(line: &str) -> Arguments {
        match parsed(line) {
            Ok(Asked::Run(arguments)) => arguments,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn options_may_be_anywhere_and_revisions_may_be_numbers() {
        let upgrade = arguments("--url sqlite:a.db upgrade +1 -xlang=de -x a=b=c --format=json");
        assert_eq!(upgrade.verb, Verb::Upgrade);
        assert_eq!(upgrade.revision, "+1");
        assert_eq!(upgrade.url.as_deref(), Some("sqlite:a.db"));
        let args = [("lang", "de"), ("a", "b=c")];
        assert_eq!(upgrade.args, args.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert!(upgrade.is_json);
        assert_eq!(arguments("downgrade").revision, "-1");
        assert_eq!(arguments("downgrade -2 --allow-destructive").revision, "-2");
        assert_eq!(arguments("upgrade").revision, "head");
        assert_eq!(arguments("upgrade --transaction each").transaction_each, Some(true));
        assert_eq!(parsed("upgrade --help"), Ok(Asked::Help));
        assert_eq!(parsed("--version"), Ok(Asked::Version));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, message) in [
            ("-v", "a command is missing"),
            ("stamp", "there is no command `stamp`"),
            ("status head", "unexpected argument `head`"),
            ("upgrade head base", "unexpected argument `base`"),
            ("upgrade --sql", "unexpected argument `--sql`"),
            ("upgrade --url", "`--url <URL>` needs a value"),
            ("upgrade --resume=yes", "`--resume` takes no value"),
            ("upgrade --allow-destructive", "`upgrade` has no option `--allow-destructive`"),
            ("upgrade --resume --restart", "`--resume` cannot be used with `--restart`"),
            ("plan -q -v", "`--quiet` cannot be used with `--verbose`"),
            (
                "upgrade --lock-timeout soon",
                "invalid value `soon` for `--lock-timeout <SECONDS>`: expected a number",
            ),
            (
                "status --format yaml",
                "invalid value `yaml` for `--format <FORM>`: expected `text` or `json`",
            ),
            ("upgrade -x lang", "invalid value `lang` for `--arg <KEY=VALUE>`: expected KEY=VALUE"),
        ] {
            assert_eq!(parsed(line), Err(message.to_owned()), "{line}");
        }
    }
}

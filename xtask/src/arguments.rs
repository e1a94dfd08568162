//! The command line of `cargo xtask`.

use anyhow::{Result, bail};
use lexopt::{Arg, Parser, ValueExt};
use std::{ffi::OsString, net::SocketAddr};

/// What `cargo xtask help` prints.
pub(crate) const USAGE: &str = "\
usage: cargo xtask COMMAND

  run [--no-open] [--listen ADDR]   build everything in release mode and start the console
  test                              every check and every test, the browser's included
  pictures                          keep how every view looks now, for the tests to compare with
  dist [--api-url URL]              the server in target/release, and the page for a static host in target/static-host
       [--public-url PATH]
  image [--thin]                    a container image of one static binary; thin: without engine and trainer
  size                              weigh what the first visit downloads, and fail above the limit
  bench proxy                       what the checks of /api cost, beside nginx's proxy_pass
  bench list                        the job list with 100,000 jobs, at the server and in the browser
  bench chart                       a chart of a million steps with planted spikes, beside uPlot
  bench page                        what Lighthouse says of dashboard and wizard
  bench streams                     10,000 open live streams: what each holds, how long an event takes to all
  bench queue                       empty jobs a second, every commit on the disk
  bench checkpoints                 what checkpoints cost a run
  bench decode [MODEL ...]          answers of models: milliseconds to the first token, tokens a second
  bench lora [--model DIR]          LoRA training beside PyTorch with PEFT: tokens a second, memory
        [--threads T] [--rounds R]
  torture --kills N [--seed S]      kill trainers and servers at random instants, and compare what the jobs end with;
          [--threads T]             a second call goes on where the first ended
          [--folder DIR]
  fuzz-api [EXAMPLES [SEED]]        send both APIs what their documents allow and what they don't (10,000 requests or more)
  openapi [--check]                 write docs/openapi.json from the code, or fail where it is stale
  base-model [ARGUMENTS]            make the bundled base model anew (takes up to an hour)
  help                              this page";

/// One command with what it was given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Print [`USAGE`].
    Help,
    /// Build and start.
    Run(RunOptions),
    /// Check everything.
    Test,
    /// Keep how every view looks.
    Pictures,
    /// Build what is shipped.
    Dist(DistOptions),
    /// Make a container image.
    Image(ImageOptions),
    /// Weigh the first visit.
    Size,
    /// Write or compare docs/openapi.json.
    Openapi {
        /// Compare instead of writing.
        check: bool,
    },
    /// Measure something.
    Bench {
        /// Which benchmark.
        name: String,
        /// Handed on as they came.
        arguments: Vec<OsString>,
    },
    /// Kill at random instants.
    Torture {
        /// Handed on as they came.
        arguments: Vec<OsString>,
    },
    /// Send both APIs what their documents allow and what they don't.
    FuzzApi {
        /// Handed on as they came.
        arguments: Vec<OsString>,
    },
    /// Make the bundled base model anew.
    BaseModel {
        /// Handed on as they came.
        arguments: Vec<OsString>,
    },
}

/// What `run` was given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RunOptions {
    /// Leave the browser alone.
    pub(crate) no_open: bool,
    /// Where to listen instead of the server's own default.
    pub(crate) listen: Option<SocketAddr>,
}

/// What `dist` was given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DistOptions {
    /// The server's address, written into `config.json`; without it the page asks its own origin.
    pub(crate) api_url: Option<String>,
    /// The path at which the static host serves the page.
    pub(crate) public_url: Option<String>,
}

/// What `image` was given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ImageOptions {
    /// Leave the engine and the trainer out.
    pub(crate) thin: bool,
}

/// Reads the command line without the program's name.
///
/// # Errors
/// An unknown command or option, or a value that can't be read.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command> {
    let mut parser = Parser::from_args(arguments);
    let name = match parser.next()? {
        None => bail!("which command?"),
        Some(Arg::Short('h') | Arg::Long("help")) => return Ok(Command::Help),
        Some(Arg::Value(name)) => name.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    let command = match name.as_str() {
        "help" => Command::Help,
        "run" => return run(parser),
        "test" => Command::Test,
        "pictures" => Command::Pictures,
        "dist" => return dist(parser),
        "image" => return image(parser),
        "size" => Command::Size,
        "openapi" => return openapi(parser),
        "bench" => {
            return Ok(Command::Bench {
                name: parser.value()?.string()?,
                arguments: parser.raw_args()?.collect(),
            });
        }
        "torture" => {
            return Ok(Command::Torture {
                arguments: parser.raw_args()?.collect(),
            });
        }
        "fuzz-api" => {
            return Ok(Command::FuzzApi {
                arguments: parser.raw_args()?.collect(),
            });
        }
        "base-model" => {
            return Ok(Command::BaseModel {
                arguments: parser.raw_args()?.collect(),
            });
        }
        _ => bail!("there is no command `{name}`"),
    };
    match parser.next()? {
        None => Ok(command),
        Some(other) => Err(other.unexpected().into()),
    }
}

fn run(mut parser: Parser) -> Result<Command> {
    let mut options = RunOptions::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("no-open") => options.no_open = true,
            Arg::Long("listen") => options.listen = Some(parser.value()?.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Command::Run(options))
}

fn dist(mut parser: Parser) -> Result<Command> {
    let mut options = DistOptions::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("api-url") => options.api_url = Some(parser.value()?.string()?),
            Arg::Long("public-url") => options.public_url = Some(parser.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Command::Dist(options))
}

fn image(mut parser: Parser) -> Result<Command> {
    let mut options = ImageOptions::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("thin") => options.thin = true,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Command::Image(options))
}

fn openapi(mut parser: Parser) -> Result<Command> {
    let mut check = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("check") => check = true,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Command::Openapi { check })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &[&str]) -> Result<Command> {
        parse(words.iter().map(OsString::from))
    }

    #[test]
    fn run_takes_an_address_and_leaves_the_browser_alone_when_told() {
        let expected = RunOptions {
            no_open: true,
            listen: Some("127.0.0.1:9000".parse().unwrap()),
        };
        assert_eq!(
            parse_words(&["run", "--no-open", "--listen", "127.0.0.1:9000"]).unwrap(),
            Command::Run(expected)
        );
    }

    #[test]
    fn an_unknown_command_option_or_address_is_refused() {
        assert!(parse_words(&["fly"]).is_err());
        assert!(parse_words(&["test", "--fast"]).is_err());
        assert!(parse_words(&["run", "--listen", "here"]).is_err());
        assert!(parse_words(&[]).is_err());
    }

    #[test]
    fn the_recipe_and_the_torture_get_their_arguments_as_they_came() {
        assert_eq!(
            parse_words(&["base-model", "--steps", "10"]).unwrap(),
            Command::BaseModel {
                arguments: vec!["--steps".into(), "10".into()]
            }
        );
        assert_eq!(
            parse_words(&["torture", "--kills", "30"]).unwrap(),
            Command::Torture {
                arguments: vec!["--kills".into(), "30".into()]
            }
        );
    }
}

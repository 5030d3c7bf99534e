#include "archive/base/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

namespace greffe {

struct Verb::State {
  CLI::App* app = nullptr;
  VerbBody body;
  std::map<std::string, Verb> below;
  std::vector<std::shared_ptr<State>> states_below;

  // The body of the innermost verb that was given.
  const VerbBody* chosen() const {
    for (const auto& state : states_below) {
      if (state->app->parsed()) return state->chosen();
    }
    return &body;
  }
  CLI::Option* named(CLI::Option* option, const std::string& value_name) const {
    if (!value_name.empty()) option->type_name(value_name);
    return option;
  }
};

Verb::Verb(std::shared_ptr<State> state) : state_(std::move(state)) {}

Verb& Verb::option(const std::string& name, std::string& value, const std::string& help, const std::string& value_name) {
  state_->named(state_->app->add_option(name, value, help), value_name);
  return *this;
}
Verb& Verb::option(const std::string& name, std::vector<std::string>& values, const std::string& help,
                   const std::string& value_name) {
  CLI::Option* made = state_->named(state_->app->add_option(name, values, help), value_name);
  if (name.starts_with("-")) made->take_all()->expected(1, -1)->allow_extra_args(false);
  return *this;
}
Verb& Verb::option(const std::string& name, std::int64_t& value, const std::string& help,
                   const std::string& value_name) {
  state_->named(state_->app->add_option(name, value, help), value_name);
  return *this;
}
Verb& Verb::required(const std::string& name, std::string& value, const std::string& help,
                     const std::string& value_name) {
  option(name, value, help, value_name);
  state_->app->get_option(name)->required();
  return *this;
}
Verb& Verb::required(const std::string& name, std::vector<std::string>& values, const std::string& help,
                     const std::string& value_name) {
  option(name, values, help, value_name);
  state_->app->get_option(name)->required();
  return *this;
}
Verb& Verb::flag(const std::string& name, bool& value, const std::string& help) {
  state_->app->add_flag(name, value, help);
  return *this;
}
Verb& Verb::json(bool& value) { return flag("--json", value, "print one JSON object instead of a table"); }
Verb& Verb::body(VerbBody body) {
  state_->body = std::move(body);
  return *this;
}
Verb& Verb::verb(const std::string& name, const std::string& help) {
  auto below = std::make_shared<State>();
  below->app = state_->app->add_subcommand(name, help);
  state_->app->require_subcommand(1);
  state_->states_below.push_back(below);
  return state_->below.emplace(name, Verb(below)).first->second;
}

struct CommandLine::State {
  explicit State(std::string program_name, std::string description)
      : program(std::move(program_name)), app(std::move(description), program) {}
  std::string program;
  CLI::App app;
  std::shared_ptr<Verb::State> root_state = std::make_shared<Verb::State>();
  Verb root{root_state};
  std::vector<std::shared_ptr<Verb::State>> verbs;
  std::map<std::string, Verb> by_name;
};

namespace {

// Secrets in an argument list are read by every process of the machine.
bool looks_like_a_secret(std::string_view argument) {
  for (const std::string_view name : {"--password", "--secret", "--passphrase", "--token", "--code"}) {
    if (argument == name || argument.starts_with(std::string(name) + "=")) return true;
  }
  return false;
}

std::string words_of(const CLI::App& app) {
  std::string words;
  for (const CLI::App* below : app.get_subcommands({})) words += below->get_name() + " ";
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
  }
  return words;
}

// bash: the words that may follow each verb; file names otherwise.
std::string bash_completion(const std::string& program, const CLI::App& app) {
  std::string name = program;
  for (char& c : name) c = c == '-' ? '_' : c;
  std::string out = fmt::format("# bash completion of {0}; made by `{0} --completion bash`\n_{1}() {{\n", program, name);
  out += "  local words current=\"${COMP_WORDS[COMP_CWORD]}\"\n  case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n";
  for (const CLI::App* verb : app.get_subcommands({})) {
    for (const CLI::App* below : verb->get_subcommands({})) {
      out += fmt::format("    \"{} {}\") words=\"{}\" ;;\n", verb->get_name(), below->get_name(), words_of(*below));
    }
    out += fmt::format("    \"{} \"*) words=\"{}\" ;;\n", verb->get_name(), words_of(*verb));
  }
  out += fmt::format("    *) words=\"{}\" ;;\n  esac\n", words_of(app));
  out += "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\n";
  return out + fmt::format("complete -o default -F _{} {}\n", name, program);
}

// Text of a manual page: a backslash, a minus and a leading dot mean something to man.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string manual_options(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_lnames() == std::vector<std::string>{"help"}) continue;
    const std::string name = option->get_positional() ? option->get_single_name() : option->get_name(false, true);
    const bool takes_value = !option->get_positional() && option->get_items_expected_max() > 0;
    const std::string type = option->get_type_name();  // "bash:{bash}" where only some words are taken
    out += fmt::format(".TP\n\\fB{}\\fR{}\n{}{}\n", roff(name), takes_value ? " \\fI" + roff(type.substr(0, type.find(':'))) + "\\fR" : "",
                       roff(option->get_description()), option->get_required() ? " (required)" : "");
  }
  return out;
}

std::string manual_verbs(const std::string& before, const CLI::App& app) {
  std::string out;
  for (const CLI::App* verb : app.get_subcommands({})) {
    const std::string words = before + verb->get_name();
    const std::string below = manual_verbs(words + " ", *verb);
    out += below.empty() ? fmt::format(".SS {}\n{}\n{}", roff(words), roff(verb->get_description()), manual_options(*verb)) : below;
  }
  return out;
}

// man(7): made from the same table as --help, so that the two cannot differ.
std::string manual_page(const std::string& program, const CLI::App& app) {
  std::string out = fmt::format(".TH {} 1 \"\" \"greffe {}\" \"Greffe\"\n.SH NAME\n{} \\- {}\n", roff(program), GREFFE_VERSION,
                                roff(program), roff(app.get_description()));
  const std::string verbs = manual_verbs("", app);
  out += fmt::format(".SH SYNOPSIS\n\\fB{}\\fR [options]{}\n", roff(program), verbs.empty() ? "" : " \\fIVERB\\fR [options of the verb]");
  out += ".SH OPTIONS\n" + manual_options(app);
  if (!verbs.empty()) out += ".SH VERBS\n" + verbs;
  out += ".SH EXIT STATUS\n.TP\n0\ndone\n.TP\n1\nit ran, and found something wrong\n.TP\n2\nit cannot run: arguments, configuration "
         "or access\n";
  return out;
}

}  // namespace

CommandLine::CommandLine(std::string program, std::string description)
    : state_(std::make_unique<State>(std::move(program), std::move(description))) {
  state_->root_state->app = &state_->app;
  state_->app.set_version_flag("--version", state_->program + " " + GREFFE_VERSION);
  // Like --version: answered as soon as it is read, whatever else the program requires.
  const State& s = *state_;
  const auto completion = [&s](const std::string&) { throw CLI::CallForVersion(bash_completion(s.program, s.app), kExitDone); };
  state_->app.add_option_function<std::string>("--completion", completion, "print a completion script for this shell")
      ->check(CLI::IsMember({"bash"}))
      ->type_name("bash")
      ->trigger_on_parse();
  const auto manual = [&s] { throw CLI::CallForVersion(manual_page(s.program, s.app), kExitDone); };
  state_->app.add_flag_callback("--manual", manual, "print the manual page, for man")->trigger_on_parse();
}

CommandLine::~CommandLine() = default;

Verb& CommandLine::root() { return state_->root; }
Verb& CommandLine::verb(const std::string& name, const std::string& help) {
  auto below = std::make_shared<Verb::State>();
  below->app = state_->app.add_subcommand(name, help);
  state_->verbs.push_back(below);
  return state_->by_name.emplace(name, Verb(below)).first->second;
}

int CommandLine::run(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    if (looks_like_a_secret(arguments[i])) {
      fmt::print(stderr, "{}: a secret must not stand in the argument list; put it into a file with mode 0600 and give "
                 "that file's path\n", state_->program);
      return kExitCannotRun;
    }
  }
  const bool wants_verb = !state_->verbs.empty();
  try {
    state_->app.parse(count, arguments);
  } catch (const CLI::Success& success) {  // --help, --version, --completion, --manual
    return state_->app.exit(success);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "{}: {}; see {} --help\n", state_->program, error.what(), state_->program);
    return kExitCannotRun;
  }
  const VerbBody* body = nullptr;
  if (wants_verb) {
    for (const auto& verb : state_->verbs) {
      if (verb->app->parsed()) body = verb->chosen();
    }
  } else {
    body = &state_->root_state->body;
  }
  if (body == nullptr || !*body) {
    fmt::print(stderr, "{}: say what to do; see {} --help\n", state_->program, state_->program);
    return kExitCannotRun;
  }
  const Result<int> done = (*body)();
  if (done) return *done;
  fmt::print(stderr, "{}: {}\n", state_->program, done.error().message);
  return done.error().code == Errc::corrupt ? kExitFound : kExitCannotRun;
}

}  // namespace greffe

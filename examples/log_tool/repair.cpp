// SPDX-License-Identifier: BSL-1.0
#include <driftless/log/repair_log.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "output.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace log_tool {
namespace {
using driftless::log_repair;
using driftless::repair_step;

void print(std::vector<repair_step> const& steps) {
    for (auto const& each : steps) {
        log_tool::print(each.path + ": " + to_string(each) + (each.loses ? " (needs --drop)" : "") + "\n");
    }
}
}  // namespace

int repair(std::vector<std::string> const& words) {
    arguments given{words, {}};
    bool const dry = given.flag("--dry-run");
    bool const drop = given.flag("--drop");
    log_repair todo{given.paths(1, "the folder of a log")[0]};
    if (todo.steps().empty()) {
        log_tool::print("nothing to repair\n");
        return good;
    }
    print(todo.steps());
    if (dry) return problems;
    if (todo.loses() && !drop) {
        log_tool::print("nothing was done: the repair loses records, allow it with --drop\n");
        return problems;
    }
    finish_output();
    todo.run(drop);
    log_tool::print("repaired\n");
    return good;
}

int index(std::vector<std::string> const& words) {
    arguments given{words, {}};
    log_repair todo{given.paths(1, "the folder of a log")[0]};
    auto const steps = todo.steps();
    bool const only_indexes = std::all_of(steps.begin(), steps.end(), [](repair_step const& each) {
        return each.what == repair_step::kind::write_index || each.what == repair_step::kind::remove;
    });
    if (!only_indexes) {
        log_tool::print("nothing was done: the log needs a repair first, see `driftless-log repair --dry-run`\n");
        return problems;
    }
    print(steps);
    finish_output();
    todo.run(false);
    log_tool::print(steps.empty() ? "the index files are as they should be\n" : "done\n");
    return good;
}
}  // namespace log_tool

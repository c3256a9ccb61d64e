// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_REPLAY_COMMAND_HPP
#define DRIFTLESS_VIEW_REPLAY_COMMAND_HPP

#include <driftless/core/error.hpp>
#include <driftless/core/pipeline.hpp>
#include <driftless/core/sink.hpp>
#include <driftless/core/time.hpp>
#include <driftless/file/file_system.hpp>
#include <driftless/file/real_files.hpp>
#include <driftless/view/audit_log.hpp>
#include <driftless/view/deployment.hpp>
#include <driftless/view/deployment_options.hpp>
#include <driftless/view/detail/command_words.hpp>
#include <driftless/view/detail/meet.hpp>
#include <driftless/view/replay_plan.hpp>
#include <driftless/view/validate.hpp>
#include <driftless/view/verdict.hpp>
#include <driftless/view/view.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace driftless::inline v0 {

/// What a replay_command ends with.
enum class command_status : int {
    good = 0,
    refused = 1,   ///< not possible, not valid, or not now: the reason was told
    misuse = 2,    ///< the command line is no good
    unusable = 3,  ///< something could not be read or written, or is in use
};

/// Where a replay_command says what it has to say; null: standard output, and standard error.
struct command_output {
    std::function<void(std::string_view)> out{};
    std::function<void(std::string_view)> err{};
};

/// The command `driftless-replay plan | run | validate | cutover | rollback | history` for a program that names its
/// pipelines and logs:
///
///     int main(int argc, char** argv) {
///         file_log<order> orders{"data/orders", {.access = log_access::read}};
///         return replay_command<std::string, totals>{"views/revenue"}
///             .add("v1", revenue_1, orders)
///             .add("v2", revenue_2, orders)
///             .checks(validation<std::string, totals>{}.add(counts{.relative = 0.01}))
///             .main(argc, argv);
///     }
///
/// Shape       plan VERSION     what a replay would take, and what is in its way; nothing is written
///             run [VERSION]    begins a version beside the current one, or goes on with the one that is on trial,
///                              until it has caught up and was compared; then it is ready
///             validate         compares the version that is ready with the current one again, at the same offsets,
///                              and shows every verdict
///             cutover          makes the version that is ready the current one, for readers in all processes
///             rollback [WHY]   goes back, in the rollback window
///             history [TEXT]   the audit log, or the entries about versions with that text
///             Options of plan and run: --from beginning | offset:N | time:NS | snapshot | adopt,
///             --records-per-second N, --bytes-per-second N.
/// State       The folder of the deployment. What was begun is gone on with by the next command.
/// Errors      None comes out of main() and run(): they return a command_status and say why. A service that serves the
///             view holds the folder: then all but plan and history end with `unusable`, and it has to decide itself.
/// Threads     One.
/// Example     examples/replay_commands.cpp
template <class K, class V, class View = view<K, V>>
class replay_command {
    using shop = deployment<K, V, View>;

    struct named {
        std::string name;
        std::function<void(shop&)> define;
        std::function<replay_plan(replay_plan_options const&)> plan;
    };
    std::string folder_;
    deployment_options options_;
    command_output output_;
    std::vector<named> versions_;
    validation<K, V> checks_;
    std::vector<std::pair<std::string, typename shop::guard>> guards_;

public:
    explicit replay_command(std::string folder, deployment_options options = {}, command_output output = {})
        : folder_(std::move(folder)), options_(std::move(options)), output_(std::move(output)) {
        while (folder_.size() > 1 && folder_.back() == '/') folder_.pop_back();
        if (options_.who.empty()) options_.who = "driftless-replay";
        options_.cut_over_when_valid = false;  // that is a command of its own
    }

    /// A version: a pipeline and its logs, as for deployment::define. The logs outlive the command.
    template <pipeline P, class... Inputs>
    replay_command& add(std::string name, P const& p, Inputs&&... inputs) {
        static_assert((detail::borrows<Inputs> && ...),
            "driftless: a replay_command borrows its logs: give add() logs that outlive it, not temporaries");
        std::tuple<Inputs...> held{std::forward<Inputs>(inputs)...};  // references to logs
        versions_.push_back({name,
            [p, name, held](shop& into) mutable {
                std::apply([&](auto&... each) { into.define(name, p, static_cast<Inputs&>(each)...); }, held);
            },
            [p, held](replay_plan_options const& options) {
                return std::apply([&](auto&... each) { return plan_replay(p, options, each...); }, held);
            }});
        return *this;
    }
    /// What a version must pass.
    replay_command& checks(validation<K, V> all) {
        checks_ = std::move(all);
        return *this;
    }
    /// As deployment::guard_with.
    replay_command& guard(std::string name, typename shop::guard f) {
        guards_.emplace_back(std::move(name), std::move(f));
        return *this;
    }

    /// For `return command.main(argc, argv)`.
    [[nodiscard]] int main(int argc, char const* const* argv) {
        return static_cast<int>(run({argv + (argc > 0 ? 1 : 0), argv + argc}));
    }
    /// The words behind the name of the program.
    command_status run(std::vector<std::string> const& words) {
        try {
            return dispatch(detail::command_words{words});
        } catch (detail::command_misuse const& problem) {
            return complain(problem.sentence + "; see --help", command_status::misuse);
        } catch (error const& problem) {
            auto const code = problem.code();
            bool const refused = code == error_code::invalid_argument || code == error_code::stopped
                || code == error_code::mismatch;
            return complain(problem.what(), refused ? command_status::refused : command_status::unusable);
        } catch (std::exception const& problem) {
            return complain(problem.what(), command_status::unusable);
        }
    }

private:
    command_status dispatch(detail::command_words words) {
        if (words.wants_help()) {
            print(detail::replay_help);
            return command_status::good;
        }
        auto const command = words.take("a command");
        if (command == "plan") return plan(words);
        if (command == "run") return replay(words);
        if (command == "validate") return validate(words);
        if (command == "cutover") return cut_over(words);
        if (command == "rollback") return roll_back(words);
        if (command == "history") return history(words);
        throw detail::command_misuse{"there is no command '" + command + "'"};
    }

    // --- commands -----------------------------------------------------------------------------------------------

    command_status plan(detail::command_words& words) {
        auto const limits = words.limits();
        auto const from = words.from();
        auto const& of = version(words.take("the name of a version"));
        words.expect_end();
        replay_plan_options options{.from = from, .limits = limits};
        options.logic_version = of.name;
        options.snapshots = snapshot_folders();
        options.snapshot_every = options_.snapshots.every;
        options.files = options_.files;
        options.clock = options_.clock;
        auto const planned = of.plan(options);
        print(planned.str());
        return planned ? command_status::good : command_status::refused;
    }
    command_status replay(detail::command_words& words) {
        auto const limits = words.limits();
        auto const from = words.from();
        auto const name = words.optional();
        words.expect_end();
        if (name) static_cast<void>(version(*name));
        if (limits.any()) options_.replay_limits = limits;
        return in_deployment([&](shop& opened, validation_report& report) {
            if (opened.phase() == deployment_phase::watching) poll(opened);  // nobody else ends the window
            if (opened.phase() == deployment_phase::steady) {
                if (!name) {
                    throw detail::command_misuse{"no version is on trial: expected the name of the one to begin"};
                }
                try {
                    opened.deploy(*name, from);
                } catch (error const& problem) {  // the log has no such offset, or no version such a snapshot
                    if (problem.code() != error_code::not_there) throw;
                    return complain(problem.what(), command_status::refused);
                }
            } else if (opened.phase() == deployment_phase::watching) {
                return complain("the last cut-over can still be rolled back: `rollback`, or wait until the window ends",
                    command_status::refused);
            } else if (name && opened.about_candidate().logic_version != *name) {
                return complain("version " + opened.about_candidate().logic_version + " is on trial",
                    command_status::refused);
            }
            replay_to_end(opened);
            print(report.str());
            if (opened.phase() != deployment_phase::ready && opened.candidate() == 0) {
                return complain(opened.outcome(), command_status::refused);
            }
            print("version " + std::to_string(opened.candidate()) + " is ready: " + records(opened.about_candidate())
                + "\n");
            return command_status::good;
        });
    }
    command_status validate(detail::command_words& words) {
        words.expect_end();
        return in_deployment([&](shop& opened, validation_report& found) {
            if (opened.candidate() == 0) {
                return complain("there is no version to compare: `run` one", command_status::refused);
            }
            bool const compared = opened.phase() == deployment_phase::replaying;
            if (compared) replay_to_end(opened);
            else bring_level(opened);
            if (opened.candidate() == 0) {
                print(found.str());
                return complain(opened.outcome(), command_status::refused);
            }
            if (!compared) {
                auto const candidate = opened.view().read_version(opened.candidate());
                auto const current = opened.view().try_read();
                found = checks_.run_views(*candidate, current ? &**current : nullptr);
            }
            print(found.str());
            return found ? command_status::good : command_status::refused;
        });
    }
    command_status cut_over(detail::command_words& words) {
        words.expect_end();
        return in_deployment([&](shop& opened, validation_report&) {
            if (opened.phase() != deployment_phase::ready) {
                return complain("no version is ready: `run` one first", command_status::refused);
            }
            auto const number = opened.candidate();
            opened.cut_over();
            if (opened.view().current() != number) return complain(opened.outcome(), command_status::refused);
            print("version " + std::to_string(number) + " is current\n");
            return command_status::good;
        });
    }
    command_status roll_back(detail::command_words& words) {
        auto const why = words.optional().value_or("asked for");
        words.expect_end();
        return in_deployment([&](shop& opened, validation_report&) {
            if (opened.phase() != deployment_phase::watching) {
                return complain("there is no version to go back to: the rollback window has ended",
                    command_status::refused);
            }
            opened.roll_back(why);
            print("version " + std::to_string(opened.view().current()) + " is current again\n");
            return command_status::good;
        });
    }
    command_status history(detail::command_words& words) {
        auto const text = words.optional();
        words.expect_end();
        for (auto const& each : read_audit_log(folder_ + "/audit", files())) {
            if (!text || each.version.find(*text) != std::string::npos) print(each.str() + '\n');
        }
        return command_status::good;
    }

    // --- what they share ----------------------------------------------------------------------------------------

    [[nodiscard]] file_system& files() const { return options_.files != nullptr ? *options_.files : real_files(); }
    [[nodiscard]] named const& version(std::string const& name) const {
        std::string all;
        for (auto const& each : versions_) {
            if (each.name == name) return each;
            all += (all.empty() ? "" : ", ") + each.name;
        }
        throw detail::command_misuse{"there is no version '" + name + "'; there are " + (all.empty() ? "none" : all)};
    }
    /// f(deployment, what its checks find on the way). A command that ends is no crash: many of them are no crash loop.
    template <class F>
    command_status in_deployment(F&& f) {
        validation_report report;
        shop opened{folder_, options_};
        for (auto const& each : versions_) each.define(opened);
        opened.validate_with("checks", [this, &report](View const* current, View const& fresh, build const&) {
            report = checks_.run_views(fresh, current);
            return report.passed() ? std::string{} : report.summary();
        });
        for (auto const& [name, guard] : guards_) opened.guard_with(name, guard);
        opened.start();
        auto const status = f(opened, report);
        if (status == command_status::good || opened.phase() != deployment_phase::steady) opened.save();
        return status;
    }
    /// Until the version on trial is ready, or was stopped.
    static void replay_to_end(shop& opened) {
        while (opened.phase() == deployment_phase::replaying) poll(opened);
    }
    /// Until the version that is ready, unless it was stopped, stands where the current one does.
    static void bring_level(shop& opened) {
        bool same = false;
        do {
            poll(opened);
            static_cast<void>(detail::ahead_of(opened.about_current(), opened.about_candidate(), same));
        } while (!same && opened.candidate() != 0);
    }
    static void poll(shop& opened) {
        if (opened.poll() == 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});  // a throttle has its time
    }
    /// Of all versions that are there.
    [[nodiscard]] std::vector<std::string> snapshot_folders() const {
        std::vector<std::string> out;
        auto const all = folder_ + '/' + std::string{detail::versions_name};
        for (auto const& each : files().list(all)) {
            auto const folder = all + '/' + each.name + '/' + std::string{detail::build_state_name};
            if (each.folder && files().exists(folder)) out.push_back(folder);
        }
        return out;
    }
    [[nodiscard]] static std::string records(build const& of) {
        return "it has read " + std::to_string(of.records) + " records, and written " + std::to_string(of.written)
            + " rows";
    }
    void print(std::string_view text) const {
        if (output_.out) output_.out(text);
        else std::fwrite(text.data(), 1, text.size(), stdout);
    }
    command_status complain(std::string_view sentence, command_status status) const {
        constexpr std::string_view prefix = "driftless: ";
        if (sentence.starts_with(prefix)) sentence.remove_prefix(prefix.size());
        auto const line = "driftless-replay: " + std::string{sentence} + '\n';
        if (output_.err) output_.err(line);
        else std::fwrite(line.data(), 1, line.size(), stderr);
        return status;
    }
};
}  // namespace driftless::inline v0
#endif

// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_VIEW_DETAIL_COMMAND_WORDS_HPP
#define DRIFTLESS_VIEW_DETAIL_COMMAND_WORDS_HPP

#include <driftless/core/time.hpp>
#include <driftless/run/rate_limit.hpp>
#include <driftless/view/deployment_options.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {
inline constexpr std::string_view replay_help = R"(NAME
    driftless-replay - replay a log through a new version of a pipeline, compare, cut over, roll back

SYNOPSIS
    driftless-replay plan VERSION [--from PLACE] [--records-per-second N] [--bytes-per-second N]
    driftless-replay run [VERSION] [--from PLACE] [--records-per-second N] [--bytes-per-second N]
    driftless-replay validate
    driftless-replay cutover
    driftless-replay rollback [WHY]
    driftless-replay history [TEXT]

DESCRIPTION
    VERSION is a name that the program gave to a pipeline. PLACE is one of
        beginning     of the logs (the default)
        offset:N      in each partition
        time:NS       of appending, in nanoseconds since 1970
        snapshot      the newest one that fits, of the same logic
        adopt         ... or of other logic: what was said before it stays as it was

COMMANDS
    plan        what a replay would read and write, how long it takes, and all that is in its way; writes nothing
    run         begins VERSION beside the current one, or goes on with the one on trial, until it is ready
    validate    compares the version that is ready with the current one, and shows every verdict
    cutover     makes the version that is ready the current one
    rollback    makes the one before it current again, while the rollback window lasts
    history     what was done, by whom and why; or the entries about versions with TEXT in their names

EXIT STATUS
    0    done
    1    refused: not possible, not valid, or not now; the reason was told
    2    the command line is no good
    3    something could not be read or written, or another process holds the folder
)";

/// A command line that makes no sense; the sentence says what would.
struct command_misuse {
    std::string sentence;
};

/// The words of a command line: options with a value, `--name=value` or `--name value`, and others in their order.
class command_words {
    std::vector<std::string> words_;
    std::vector<std::pair<std::string, std::string>> options_;
    bool help_ = false;

public:
    explicit command_words(std::vector<std::string> const& words) {
        for (std::size_t i = 0; i < words.size(); ++i) {
            auto const& word = words[i];
            if (word == "--help" || word == "-h" || (i == 0 && word == "help")) {
                help_ = true;
            } else if (word.size() < 2 || !word.starts_with("--")) {
                if (word.starts_with('-')) throw command_misuse{"there is no option '" + word + "'"};
                words_.push_back(word);
            } else {
                auto const equals = word.find('=');
                auto name = word.substr(0, equals);
                if (name != "--from" && name != "--records-per-second" && name != "--bytes-per-second") {
                    throw command_misuse{"there is no option '" + name + "'"};
                }
                if (equals == std::string::npos && i + 1 == words.size()) throw command_misuse{name + " needs a value"};
                auto value = equals == std::string::npos ? words[++i] : word.substr(equals + 1);
                options_.emplace_back(std::move(name), std::move(value));
            }
        }
    }
    [[nodiscard]] bool wants_help() const noexcept { return help_; }
    [[nodiscard]] std::string take(char const* what) {
        auto word = optional();
        if (!word) throw command_misuse{std::string{"expected "} + what};
        return *std::move(word);
    }
    [[nodiscard]] std::optional<std::string> optional() {
        if (words_.empty()) return std::nullopt;
        auto word = std::move(words_.front());
        words_.erase(words_.begin());
        return word;
    }
    /// Where a replay begins; the beginning if nothing is said.
    [[nodiscard]] replay_from from() {
        auto const value = option("--from");
        if (!value || *value == "beginning") return replay_from::beginning();
        if (*value == "snapshot") return replay_from::snapshot();
        if (*value == "adopt") return replay_from::snapshot_to_adopt();
        if (value->starts_with("offset:")) {
            return replay_from::offset(number<std::uint64_t>(value->substr(7), "offset"));
        }
        if (value->starts_with("time:")) {
            return replay_from::time(event_time{number<std::int64_t>(value->substr(5), "time")});
        }
        throw command_misuse{
            "--from is beginning, offset:N, time:NS, snapshot or adopt, and not '" + *value + "'"};
    }
    [[nodiscard]] rate_limit limits() {
        rate_limit out;
        if (auto const value = option("--records-per-second")) out.records = rate(*value, "--records-per-second");
        if (auto const value = option("--bytes-per-second")) out.bytes = rate(*value, "--bytes-per-second");
        return out;
    }
    void expect_end() const {
        if (!words_.empty()) throw command_misuse{"there is nothing to do with '" + words_.front() + "'"};
        if (!options_.empty()) throw command_misuse{options_.front().first + " has no meaning here"};
    }

private:
    std::optional<std::string> option(std::string_view name) {
        std::optional<std::string> out;
        for (std::size_t i = 0; i < options_.size();) {
            if (options_[i].first != name) {
                ++i;
                continue;
            }
            if (out) throw command_misuse{options_[i].first + " is given twice"};
            out = std::move(options_[i].second);
            options_.erase(options_.begin() + static_cast<std::ptrdiff_t>(i));
        }
        return out;
    }
    template <class Int>
    static Int number(std::string const& text, char const* what) {
        Int out = 0;
        auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
        if (problem == std::errc{} && end == text.data() + text.size()) return out;
        throw command_misuse{std::string{what} + " is a whole number, not '" + text + "'"};
    }
    static std::int64_t rate(std::string const& text, char const* what) {
        auto const out = number<std::int64_t>(text, what);
        if (out <= 0) throw command_misuse{std::string{what} + " is at least 1"};
        return out;
    }
};
}  // namespace driftless::inline v0::detail
#endif

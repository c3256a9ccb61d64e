// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_LOG_TOOL_COMMAND_LINE_HPP
#define EXAMPLES_LOG_TOOL_COMMAND_LINE_HPP

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace log_tool {

/// What the program says when it ends.
enum exit_status : int {
    good = 0,
    problems = 1,
    misuse = 2,
    unreadable = 3,
};

/// A command line that makes no sense; the sentence says what would.
struct usage_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The words behind a subcommand: options, with or without a value, and paths.
class arguments {
    struct option {
        std::string name;
        std::optional<std::string> value;
        bool used = false;
    };
    std::vector<option> options_;
    std::vector<std::string> paths_;

public:
    /// An option of `valued` takes the word behind it, or what is behind its `=`.
    arguments(std::vector<std::string> const& words, std::vector<std::string_view> const& valued) {
        bool only_paths = false;
        for (std::size_t i = 0; i < words.size(); ++i) {
            auto const& word = words[i];
            if (only_paths || word.size() < 2 || word[0] != '-') {
                paths_.push_back(word);
                continue;
            }
            if (word == "--") {
                only_paths = true;
                continue;
            }
            auto const equals = word.starts_with("--") ? word.find('=') : std::string::npos;
            option found{word.substr(0, equals), std::nullopt};
            bool takes = false;
            for (auto const each : valued) takes = takes || each == found.name;
            if (equals != std::string::npos) found.value = word.substr(equals + 1);
            else if (takes && ++i < words.size()) found.value = words[i];
            if (takes && !found.value) throw usage_error{found.name + " needs a value"};
            if (!takes && found.value) throw usage_error{found.name + " takes no value"};
            options_.push_back(std::move(found));
        }
    }
    bool flag(std::string_view name) {
        bool out = false;
        for (auto& each : options_) {
            if (each.name == name) out = each.used = true;
        }
        return out;
    }
    std::uint64_t number(std::string_view name, std::uint64_t otherwise) {
        return optional_number(name).value_or(otherwise);
    }
    std::optional<std::uint64_t> optional_number(std::string_view name) {
        std::optional<std::uint64_t> out;
        for (auto& each : options_) {
            if (each.name != name) continue;
            each.used = true;
            auto const& text = *each.value;
            auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out.emplace());
            if (problem != std::errc{} || end != text.data() + text.size()) {
                throw usage_error{each.name + " needs a whole number, not '" + text + "'"};
            }
        }
        return out;
    }
    /// The paths, if there are so many; everything else must have been asked for before.
    std::vector<std::string> const& paths(std::size_t count, std::string_view what) {
        for (auto const& each : options_) {
            if (!each.used) throw usage_error{"there is no option '" + each.name + "'"};
        }
        if (paths_.size() != count) throw usage_error{"expected " + std::string{what}};
        for (auto const& each : paths_) {
            if (each.empty()) throw usage_error{"a path is empty"};
        }
        return paths_;
    }
};
}  // namespace log_tool
#endif

// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SUPPORT_PROGRAM_HPP
#define EXAMPLES_SUPPORT_PROGRAM_HPP

#include "options.hpp"
#include "output.hpp"

#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace support {
/// The frame of main(): turns errors into a sentence and an exit status.
template <class Body>
int framed(std::string_view name, Body body) {
    auto const complain = [&](std::string_view sentence, int status) {
        constexpr std::string_view prefix = "driftless: ";
        if (sentence.starts_with(prefix)) sentence.remove_prefix(prefix.size());
        std::cerr << name << ": " << sentence << '\n';
        return status;
    };
    try {
        return body();
    } catch (usage_error const& problem) {
        return complain(problem.what() + std::string{"; see --help"}, 2);
    } catch (std::exception const& problem) {
        return complain(problem.what(), 1);
    }
}

/// The same with the options of a program that makes tables.
template <class Body>
int program(std::string_view name, std::vector<std::string_view> const& results, int argc, char** argv, Body body) {
    return framed(name, [&] {
        auto const asked = parse(name, results, argc, argv);
        if (!asked.help) return body(asked);
        print(usage(name, results));
        return 0;
    });
}
}  // namespace support
#endif

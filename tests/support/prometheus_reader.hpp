// SPDX-License-Identifier: BSL-1.0
#ifndef TESTS_SUPPORT_PROMETHEUS_READER_HPP
#define TESTS_SUPPORT_PROMETHEUS_READER_HPP

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// A strict reader of Prometheus' text format 0.0.4, from its description ("Exposition formats"): throws what is wrong.
/// Stricter than a scraper: HELP and TYPE come first, once; the values of a metric stand together, no series twice;
/// counters end in _total; buckets are cumulative and end with +Inf, which is _count.
class prometheus_reader {
public:
    struct series {
        std::string name;
        std::map<std::string, std::string> labels;
        double value = 0;
    };
    struct family {
        std::string type;
        std::string help;
    };
    std::vector<series> all;
    std::map<std::string, family> families;

    explicit prometheus_reader(std::string_view text) {
        if (text.empty()) return;
        if (text.back() != '\n') fail("the last line has no line break");
        while (!text.empty()) {
            auto const end = text.find('\n');
            line_ = text.substr(0, end);
            text.remove_prefix(end + 1);
            at_ = 0;
            read_line();
        }
        check_histograms();
    }
    /// The value of the one series with these labels among others.
    double value(std::string const& name, std::map<std::string, std::string> const& some = {}) const {
        double const* found = nullptr;
        for (auto const& each : all) {
            if (each.name != name) continue;
            bool has = true;
            for (auto const& [label, wanted] : some) {
                auto const own = each.labels.find(label);
                has = has && own != each.labels.end() && own->second == wanted;
            }
            if (!has) continue;
            if (found != nullptr) throw std::runtime_error{"several series of " + name};
            found = &each.value;
        }
        if (found == nullptr) throw std::runtime_error{"no series of " + name};
        return *found;
    }

private:
    std::string_view line_;
    std::size_t at_ = 0;
    std::string current_;
    std::set<std::string> done_;
    std::set<std::string> seen_;

    [[noreturn]] void fail(std::string const& why) const { throw std::runtime_error{why + ": " + std::string{line_}}; }
    [[nodiscard]] bool more() const { return at_ < line_.size(); }
    [[nodiscard]] char peek() const { return more() ? line_[at_] : '\0'; }
    void expect(char c) {
        if (peek() != c || !more()) fail(std::string{"expected "} + c);
        ++at_;
    }
    std::string read_name(bool colon) {
        auto const from = at_;
        auto const letter = [&](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':');
        };
        while (more() && (letter(peek()) || (at_ != from && peek() >= '0' && peek() <= '9'))) ++at_;
        if (from == at_) fail("a name is missing");
        return std::string{line_.substr(from, at_ - from)};
    }
    double read_number(std::string_view word) const {
        if (word == "NaN") return std::numeric_limits<double>::quiet_NaN();
        if (word == "+Inf" || word == "-Inf") return word[0] == '+' ? HUGE_VAL : -HUGE_VAL;
        std::string const copy{word};
        for (char const c : copy) {
            if (std::string_view{"0123456789+-.e"}.find(c) == std::string_view::npos) fail("no number");
        }
        char* end = nullptr;
        double const value = std::strtod(copy.c_str(), &end);
        if (copy.empty() || end != copy.c_str() + copy.size()) fail("no number");
        return value;
    }
    void read_line() {
        check_utf8();
        if (line_.empty()) fail("an empty line");
        if (peek() == '#') return read_comment();
        series made;
        made.name = read_name(true);
        auto id = made.name;
        if (peek() == '{') {
            ++at_;
            for (;;) {
                auto const label = read_name(false);
                if (label.starts_with("__")) fail("a reserved label");
                expect('=');
                expect('"');
                std::string value;
                while (peek() != '"') {
                    if (!more()) fail("a label value does not end");
                    char c = line_[at_++];
                    if (c == '\\') {
                        char const escaped = peek();
                        if (escaped != '\\' && escaped != '"' && escaped != 'n') fail("an unknown escape");
                        c = escaped == 'n' ? '\n' : escaped;
                        ++at_;
                    }
                    value += c;
                }
                ++at_;
                if (!made.labels.emplace(label, value).second) fail("a label twice");
                if (peek() == ',') ++at_;
                else break;
            }
            expect('}');
        }
        expect(' ');
        made.value = read_number(line_.substr(at_));
        for (auto const& [label, value] : made.labels) id += '\x01' + label + '\x02' + value;
        if (!seen_.insert(id).second) fail("a series twice");
        check_family(made);
        all.push_back(std::move(made));
    }
    void read_comment() {
        bool const help = line_.starts_with("# HELP ");
        if (!help && !line_.starts_with("# TYPE ")) fail("neither HELP nor TYPE");
        at_ = 7;
        auto const name = read_name(true);
        expect(' ');
        std::string rest{line_.substr(at_)};
        if (help) {
            if (done_.contains(name)) fail("a metric in two places");
            if (!families.emplace(name, family{{}, rest}).second) fail("HELP twice");
            for (std::size_t i = 0; i < rest.size(); ++i) {
                if (rest[i] != '\\') continue;
                if (i + 1 == rest.size() || (rest[i + 1] != '\\' && rest[i + 1] != 'n')) fail("an unknown escape");
                ++i;
            }
            if (!current_.empty()) done_.insert(current_);
            current_ = name;
            return;
        }
        if (name != current_ || !families[name].type.empty()) fail("TYPE does not follow HELP");
        if (rest != "counter" && rest != "gauge" && rest != "histogram") fail("an unknown type");
        if ((rest == "counter") != name.ends_with("_total")) fail("counters, and nothing else, end in _total");
        families[name].type = rest;
    }
    void check_family(series const& of) const {
        auto const found = families.find(current_);
        if (found == families.end() || found->second.type.empty()) fail("a value without HELP and TYPE");
        auto name = of.name;
        if (found->second.type == "histogram") {
            bool const bucket = name == current_ + "_bucket";
            if (bucket != of.labels.contains("le")) fail("`le` is for buckets");
            if (bucket || name == current_ + "_sum" || name == current_ + "_count") return;
        } else if (name == current_ && !of.labels.contains("le")) {
            return;
        }
        fail("a value among those of " + current_);
    }
    void check_histograms() {
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (!all[i].name.ends_with("_bucket")) continue;
            auto const base = all[i].name.substr(0, all[i].name.size() - 7);
            double least = -HUGE_VAL;
            double below = 0;
            for (; all[i].name == base + "_bucket"; ++i) {
                auto const le = read_number(all[i].labels.at("le"));
                if (!(le > least)) throw std::runtime_error{"bounds of " + base + " do not ascend"};
                if (all[i].value < below) throw std::runtime_error{"buckets of " + base + " are not cumulative"};
                least = le;
                below = all[i].value;
                if (le == HUGE_VAL) break;
            }
            if (least != HUGE_VAL) throw std::runtime_error{"no bucket +Inf in " + base};
            if (i + 2 >= all.size() || all[i + 1].name != base + "_sum" || all[i + 2].name != base + "_count"
                || all[i + 2].value != below) {
                throw std::runtime_error{"_sum and _count of " + base};
            }
        }
    }
    void check_utf8() const {
        for (std::size_t i = 0; i < line_.size();) {
            auto const c = static_cast<unsigned char>(line_[i]);
            std::size_t const length = c < 0x80 ? 1 : c >= 0xf0 ? 4
                : c >= 0xe0                                     ? 3
                : c >= 0xc2                                     ? 2
                                                                : 0;
            if (length == 0 || i + length > line_.size()) fail("no UTF-8");
            for (std::size_t k = 1; k < length; ++k) {
                if ((static_cast<unsigned char>(line_[i + k]) & 0xc0) != 0x80) fail("no UTF-8");
            }
            i += length;
        }
    }
};
}  // namespace support
#endif

// SPDX-License-Identifier: BSL-1.0
#ifndef DRIFTLESS_CODEC_DETAIL_STATE_SCHEMAS_HPP
#define DRIFTLESS_CODEC_DETAIL_STATE_SCHEMAS_HPP

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftless::inline v0::detail {

/// The name of a type, the same wherever it is compiled: what a snapshot knows its state by.
template <class T>
std::string name_of_type() {
    std::string_view const whole = __PRETTY_FUNCTION__;
    auto const from = whole.find("T = ") + 4;
    std::string name{whole.substr(from, whole.find_first_of(";]", from) - from)};
    constexpr std::string_view unnamed = "(anonymous namespace)";  // {anonymous} to GCC
    for (auto at = name.find(unnamed); at != std::string::npos; at = name.find(unnamed)) {
        name.replace(at, unnamed.size(), "{anonymous}");
    }
    return name;
}

/// An evolving type in the state of a stage, as it was when the state was written.
struct state_type {
    std::string name;
    std::string schema;

    friend bool operator==(state_type const&, state_type const&) = default;
};

/// The evolving types of the state that a thread is writing or reading, beside its bytes. The codec asks for it at each
/// value of such a type, and of no other: what is inside of one goes by its rules.
///
/// Threads     That of the object: while it lives, values that the thread writes and reads are of that state.
class state_schemas {
    static constinit inline thread_local state_schemas* current_ = nullptr;  // NOLINT(readability-identifier-naming)

    struct known {
        void const* type;
        std::shared_ptr<void> reader;
    };
    std::vector<state_type>* written_ = nullptr;
    std::vector<state_type> const* read_ = nullptr;
    std::vector<known> known_;
    state_schemas* outer_ = current_;

    template <class T>
    static constexpr char tag = 0;

public:
    explicit state_schemas(std::vector<state_type>* written) : written_(written) { current_ = this; }
    explicit state_schemas(std::vector<state_type> const* read) : read_(read) { current_ = this; }
    ~state_schemas() { current_ = outer_; }
    state_schemas(state_schemas const&) = delete;
    state_schemas& operator=(state_schemas const&) = delete;

    /// Where a value is written or read whole: nothing inside it asks.
    class value {
        state_schemas* of_ = std::exchange(current_, nullptr);

    public:
        value() = default;
        value(value const&) = delete;
        value& operator=(value const&) = delete;
        ~value() { current_ = of_; }
        [[nodiscard]] state_schemas* of() const noexcept { return of_; }
    };

    /// A value of T is written.
    template <class T, class Schema>
    void note(Schema&& schema) {
        if (written_ == nullptr || seen<T>() != nullptr) return;
        known_.push_back({&tag<T>, nullptr});
        auto name = name_of_type<T>();
        for (auto const& each : *written_) {
            if (each.name == name) return;
        }
        written_->push_back({std::move(name), schema()});
    }
    /// What reads a T that was written then: made by make(types) the first time, null where the T is as it was.
    template <class T, class Reader, class Make>
    Reader* reader(Make&& make) {
        if (read_ == nullptr) return nullptr;
        if (auto const* const it = seen<T>()) return static_cast<Reader*>(it->reader.get());
        std::shared_ptr<Reader> made = make(*read_);
        known_.push_back({&tag<T>, made});
        return made.get();
    }

private:
    template <class T>
    [[nodiscard]] known const* seen() const noexcept {
        for (auto const& each : known_) {
            if (each.type == &tag<T>) return &each;
        }
        return nullptr;
    }
};
}  // namespace driftless::inline v0::detail
#endif

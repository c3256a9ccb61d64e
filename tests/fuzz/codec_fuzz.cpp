// SPDX-License-Identifier: BSL-1.0
// The first byte chooses a type, the others are decoded as a value of it. What decodes encodes to the same bytes, and
// whoever knows only the schema takes exactly the same bytes.
#include <driftless/codec/codec.hpp>
#include <driftless/codec/json_value.hpp>
#include <driftless/codec/schema.hpp>
#include <driftless/codec/schema_tree.hpp>
#include <fuzz/fuzz_target.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace fuzzed {
using namespace driftless;
enum class colour : std::uint8_t {
    red,
};
struct place {
    std::int16_t x = 0;
    double y = 0;
};
struct nothing {};
struct everything {
    bool flag = false;
    char letter = ' ';
    std::uint32_t number = 0;
    colour paint = colour::red;
    float ratio = 0;
    event_time at;
    duration took;
    time_window during;
    text name;
    std::vector<std::int32_t> numbers;
    std::array<std::uint16_t, 2> both{};
    std::optional<std::string> maybe;
    std::pair<bool, std::string> mixed;
    std::vector<place> path;
};
}  // namespace fuzzed
BOOST_HANA_ADAPT_STRUCT(fuzzed::place, x, y);
BOOST_HANA_ADAPT_STRUCT(fuzzed::nothing);
BOOST_HANA_ADAPT_STRUCT(fuzzed::everything, flag, letter, number, paint, ratio, at, took, during, name, numbers, both,
    maybe, mixed, path);

namespace {
using namespace driftless;

template <class T>
void look_at(std::string_view bytes) {
    static auto const schema = parse_schema(schema_of<T>());
    bool typed = true;
    try {
        auto const value = decode<T>(bytes);
        fuzz::require(encode(value) == bytes, "what decodes encodes to the same bytes");
    } catch (error const& why) {
        fuzz::require(why.code() == error_code::malformed, "bytes that do not decode are malformed");
        fuzz::require(why.offset() <= bytes.size(), "the place of an error is inside");
        typed = false;
    }
    bool untyped = true;
    try {
        fuzz::require(!encoded_to_json(schema, bytes).empty(), "a value has JSON");
    } catch (error const& why) {
        fuzz::require(why.code() == error_code::malformed, "bytes that do not decode by schema are malformed");
        untyped = false;
    }
    fuzz::require(typed == untyped, "typed and untyped readers take the same bytes");
}

template <class... T>
struct type_list {
    static constexpr std::size_t size = sizeof...(T);
    static void look_at_type(std::size_t chosen, std::string_view bytes) {
        std::size_t i = 0;
        (static_cast<void>(i++ == chosen && (look_at<T>(bytes), true)), ...);
    }
};
using types = type_list<fuzzed::everything, std::int8_t, std::uint64_t, std::int64_t, detail::int128, long double,
    std::string, std::vector<bool>, std::vector<std::monostate>, std::vector<fuzzed::nothing>,
    std::optional<std::optional<std::int32_t>>, std::tuple<>, std::vector<std::vector<std::string>>,
    std::vector<std::array<std::uint8_t, 3>>, event<std::string>>;
}  // namespace

std::vector<std::pair<std::string, std::string>> fuzz::seeds() {
    fuzzed::everything value;
    value.number = 300;
    value.name = "name";
    value.numbers = {1, -1, 1'000'000};
    value.maybe = "perhaps";
    value.path = {{1, 2.5}};
    auto const vectors = bytes_of("\x02\x01\x01x\x00");
    return {{"everything", '\0' + encode(value)}, {"number", '\x02' + encode(std::uint64_t{1} << 40)},
        {"long_varint", bytes_of("\x02\x80\x00")}, {"bools", '\x07' + encode(std::vector<bool>{true, false})},
        {"nothings", '\x08' + encode(std::vector<std::monostate>(3))}, {"vectors", '\x0c' + vectors},
        {"event", '\x0e' + encode(event<std::string>{"a", event_time{5}})}, {"empty", "\x0b"}};
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    types::look_at_type(data[0] % types::size, {reinterpret_cast<char const*>(data) + 1, size - 1});
    return 0;
}

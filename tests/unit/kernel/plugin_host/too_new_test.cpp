// What the host makes of requests that are older, newer, or lie about their size (ABI rule 8).
#include <gtest/gtest.h>

#include <cstring>

#include <jackfield/sdk/plugin.hpp>

#include "plugin_host/marshal.hpp"

namespace jackfield::plugin_host {
namespace {

using sdk::make;

/// A struct of a newer plugin's: one member more.
template <typename T>
struct Newer {
    T known = make<T>();
    std::uint64_t later = 0;
    Newer() { known.struct_size = sizeof(*this); }
};

template <typename T>
jf_status checked(const T& request) {
    return check_request(layout_of<T>(), &request, request.struct_size);
}

TEST(TooNew, AShorterRequestIsUnderstood) {
    jf_llm_request request = make<jf_llm_request>();
    request.struct_size = offsetof(jf_llm_request, tools);
    std::memset(reinterpret_cast<char*>(&request) + request.struct_size, 0x5a, sizeof request - request.struct_size);
    EXPECT_EQ(checked(request), JF_OK) << "nothing behind its end is looked at";
}

TEST(TooNew, ALongerRequestIsUnderstoodWhileItsTailIsZero) {
    Newer<jf_llm_request> request;
    EXPECT_EQ(checked(request.known), JF_OK);
    request.later = 1;
    EXPECT_EQ(checked(request.known), JF_E_TOO_NEW);
}

TEST(TooNew, TheElementsOfAnArrayAreLookedAtOneByOne) {
    Newer<jf_message> messages[3];
    jf_llm_request request = make<jf_llm_request>();
    request.messages = {messages, 3, sizeof messages[0]};
    EXPECT_EQ(checked(request), JF_OK);
    messages[2].later = 1;
    EXPECT_EQ(checked(request), JF_E_TOO_NEW);
}

TEST(TooNew, WhatStandsBehindAPointerIsLookedAt) {
    Newer<jf_hints> hints;
    jf_stt_open open = make<jf_stt_open>();
    open.hints = &hints.known;
    EXPECT_EQ(checked(open), JF_OK);
    hints.later = 1;
    EXPECT_EQ(checked(open), JF_E_TOO_NEW);
    open.struct_size = offsetof(jf_stt_open, hints);
    EXPECT_EQ(checked(open), JF_OK) << "the pointer is not part of it";
}

TEST(TooNew, ASizeThatCannotBeTrueIsInvalid) {
    jf_llm_request request = make<jf_llm_request>();
    for (const std::uint32_t size : {0u, 3u, 100000u, 0xffffffffu}) {
        request.struct_size = size;
        EXPECT_EQ(checked(request), JF_E_INVALID) << size;
    }
    Newer<jf_hints> hints;
    hints.known.struct_size = 0x7fffffff;
    jf_stt_open open = make<jf_stt_open>();
    open.hints = &hints.known;
    EXPECT_EQ(checked(open), JF_E_INVALID);
}

TEST(TooNew, AnElementNeverReachesBeyondItsStride) {
    jf_message messages[2] = {make<jf_message>(), make<jf_message>()};
    messages[0].struct_size = 0xffffffff; // lies; what its stride holds is what there is
    jf_llm_request request = make<jf_llm_request>();
    request.messages = {messages, 2, sizeof messages[0]};
    EXPECT_EQ(checked(request), JF_OK);
}

TEST(TooNew, TakeRequestFillsWhatIsMissing) {
    jf_udp_open given = make<jf_udp_open>();
    given.port_first = 7;
    given.dscp = 46;
    given.struct_size = offsetof(jf_udp_open, dscp);
    jf_udp_open own;
    ASSERT_EQ(take_request(&given, own), JF_OK);
    EXPECT_EQ(own.port_first, 7u);
    EXPECT_EQ(own.dscp, 0u);
    EXPECT_EQ(own.struct_size, sizeof own);
}

TEST(TooNew, AnEventIsCutWhereThisHostEnds) {
    Newer<jf_text> text;
    text.known.revision = 3;
    text.later = 9;
    std::vector<std::byte> out;
    pack(*layout_of_event(JF_EV_FINAL), &text, sizeof text, out);
    unpack(*layout_of_event(JF_EV_FINAL), out.data());
    EXPECT_EQ(reinterpret_cast<const jf_text*>(out.data())->revision, 3u) << "a report is taken as far as it is known";
    EXPECT_EQ(reinterpret_cast<const jf_text*>(out.data())->struct_size, sizeof(jf_text));
}

}  // namespace
}  // namespace jackfield::plugin_host

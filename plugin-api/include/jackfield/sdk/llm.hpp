#pragma once

// The tables of jf.llm/1 and jf.embedding/1 made from a class: the exception barrier, and requests that are as long as they should be.
//
//   class Model {
//     public:
//       void generate(jf_op op, const jf_llm_request& request);    accept it (emit, complete now or later), or throw Failure
//       void embed(jf_op op, const jf_embedding_request& request); likewise
//       const void* query(std::string_view id) {
//           if (id == JF_LLM_V1) return sdk::llm_table<Model>();
//           if (id == JF_EMBEDDING_V1) return sdk::embedding_table<Model>();
//           return nullptr;
//       }
//   };

#include <jackfield/embedding.h>
#include <jackfield/llm.h>
#include <jackfield/sdk/plugin.hpp>

#include <string_view>

namespace jackfield::sdk {

template <typename T>
const jf_llm_v1* llm_table() {
    static const jf_llm_v1 table = [] {
        jf_llm_v1 t = make<jf_llm_v1>();
        t.start = [](jf_instance* self, jf_op op, const jf_llm_request* request, jf_error* error) {
            return guarded(error, [&]() -> jf_status {
                if (!JF_HAS(request, jf_llm_request, messages)) return JF_E_INVALID;
                reinterpret_cast<T*>(self)->generate(op, known(request));
                return JF_OK;
            });
        };
        return t; // without prewarm
    }();
    return &table;
}

template <typename T>
const jf_embedding_v1* embedding_table() {
    static const jf_embedding_v1 table = [] {
        jf_embedding_v1 t = make<jf_embedding_v1>();
        t.embed = [](jf_instance* self, jf_op op, const jf_embedding_request* request, jf_error* error) {
            return guarded(error, [&]() -> jf_status {
                if (!JF_HAS(request, jf_embedding_request, texts)) return JF_E_INVALID;
                reinterpret_cast<T*>(self)->embed(op, known(request));
                return JF_OK;
            });
        };
        return t;
    }();
    return &table;
}

/// The last message of the role, null when there is none.
inline const jf_message* last_message(const jf_llm_request& request, std::uint32_t role) {
    for (std::uint32_t i = request.messages.n; i-- > 0;) {
        const auto* message = JF_AT(jf_message, request.messages, i);
        if (message->role == role) return message;
    }
    return nullptr;
}

inline bool offers_tool(const jf_llm_request& request, std::string_view name) {
    for (std::uint32_t i = 0; i < request.tools.n; ++i)
        if (view(JF_AT(jf_tool, request.tools, i)->name) == name) return true;
    return false;
}

}  // namespace jackfield::sdk

// A plain Open Inference Protocol server on net/http and ONNX Runtime: one model, JSON only.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	ort "github.com/yalue/onnxruntime_go"
)

type tensor struct {
	Name     string  `json:"name"`
	Shape    []int64 `json:"shape"`
	Datatype string  `json:"datatype"`
	Data     any     `json:"data"`
}

type request struct {
	Inputs []struct {
		Name     string    `json:"name"`
		Shape    []int64   `json:"shape"`
		Datatype string    `json:"datatype"`
		Data     []float32 `json:"data"`
	} `json:"inputs"`
}

type answer struct {
	ModelName string   `json:"model_name"`
	Outputs   []tensor `json:"outputs"`
}

func names(infos []ort.InputOutputInfo) []string {
	all := make([]string, len(infos))
	for i, info := range infos {
		all[i] = info.Name
	}
	return all
}

func infer(session *ort.DynamicAdvancedSession, outputs []string, body *request) (*answer, error) {
	inputs := make([]ort.Value, len(body.Inputs))
	for i, input := range body.Inputs {
		value, err := ort.NewTensor(ort.NewShape(input.Shape...), input.Data)
		if err != nil {
			return nil, err
		}
		defer value.Destroy()
		inputs[i] = value
	}
	results := make([]ort.Value, len(outputs))
	if err := session.Run(inputs, results); err != nil {
		return nil, err
	}
	reply := &answer{ModelName: "bench"}
	for i, result := range results {
		defer result.Destroy()
		one := tensor{Name: outputs[i], Shape: result.GetShape()}
		switch value := result.(type) {
		case *ort.Tensor[float32]:
			one.Datatype, one.Data = "FP32", value.GetData()
		case *ort.Tensor[int64]:
			one.Datatype, one.Data = "INT64", value.GetData()
		default:
			return nil, fmt.Errorf("output %s has an unexpected type", outputs[i])
		}
		reply.Outputs = append(reply.Outputs, one)
	}
	return reply, nil
}

// serve answers POST …/infer, and everything else with 200 once the model is loaded.
func serve(session *ort.DynamicAdvancedSession, outputs []string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/infer") {
			w.WriteHeader(http.StatusOK)
			return
		}
		var body request
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		reply, err := infer(session, outputs, &body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("content-type", "application/json")
		if err := json.NewEncoder(w).Encode(reply); err != nil {
			log.Print(err)
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// main takes the path of libonnxruntime, that of the model, and the port.
func main() {
	library, model, port := os.Args[1], os.Args[2], os.Args[3]
	ort.SetSharedLibraryPath(library)
	check(ort.InitializeEnvironment())
	options, err := ort.NewSessionOptions()
	check(err)
	check(options.SetIntraOpNumThreads(1))
	in, out, err := ort.GetInputOutputInfo(model)
	check(err)
	session, err := ort.NewDynamicAdvancedSession(model, names(in), names(out), options)
	check(err)
	check(http.ListenAndServe("127.0.0.1:"+port, serve(session, names(out))))
}

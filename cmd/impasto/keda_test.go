package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/jsonschema-go/jsonschema"
)

// asJSON reads YAML as encoding/json would read the same in JSON.
func asJSON(t *testing.T, text []byte) (value map[string]any) {
	t.Helper()
	data, err := yaml.YAMLToJSON(text)
	if err == nil {
		err = json.Unmarshal(data, &value)
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// closeSchema makes a schema of Kubernetes refuse fields that it does not name, which
// a cluster would drop without a word.
func closeSchema(schema map[string]any) {
	if p, ok := schema["properties"].(map[string]any); ok {
		if _, open := schema["additionalProperties"]; !open && schema["x-kubernetes-preserve-unknown-fields"] == nil {
			schema["additionalProperties"] = false
		}
		for _, one := range p {
			if inner, ok := one.(map[string]any); ok {
				closeSchema(inner)
			}
		}
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if inner, ok := schema[key].(map[string]any); ok {
			closeSchema(inner)
		}
	}
}

// scaledObjectSchema is KEDA's own schema of a ScaledObject.
func scaledObjectSchema(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "schemas", "keda.sh_scaledobjects.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	versions := asJSON(t, text)["spec"].(map[string]any)["versions"].([]any)
	schema := versions[0].(map[string]any)["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)
	properties := schema["properties"].(map[string]any)
	closeSchema(properties["spec"].(map[string]any))
	data, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// TestExampleOfKEDA: the ScaledObject is one by KEDA's published schema, it scales the
// deployment beside it, and its trigger names the queue's stream and a consumer.
func TestExampleOfKEDA(t *testing.T) {
	documents := strings.Split(example(t, "keda.yaml"), "\n---\n")
	if len(documents) != 2 {
		t.Fatalf("%d documents", len(documents))
	}
	schema, scaled := scaledObjectSchema(t), asJSON(t, []byte(documents[1]))
	if err := schema.Validate(scaled); err != nil {
		t.Error(err)
	}
	for _, wrong := range [][2]string{
		{"scaleTargetRef:", "scaleTarget:"}, {"minReplicaCount: 0", `minReplicaCount: "0"`}, {"cooldownPeriod", "coolDownPeriod"},
		{`lagThreshold: "2"`, "lagThreshold: 2"}, {"- type: nats-jetstream", "- kind: nats-jetstream"},
	} {
		text := strings.Replace(documents[1], wrong[0], wrong[1], 1)
		if text == documents[1] || schema.Validate(asJSON(t, []byte(text))) == nil {
			t.Errorf("%s is taken in place of %s", wrong[1], wrong[0])
		}
	}
	var deployment struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct{ Name string }
		Spec       struct {
			Template struct {
				Spec struct {
					Containers []struct{ Command []string }
				}
			}
		}
	}
	var object struct {
		Spec struct {
			ScaleTargetRef struct{ Name string } `yaml:"scaleTargetRef"`
			Triggers       []struct {
				Type     string
				Metadata map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(documents[0]), &deployment); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(documents[1]), &object); err != nil {
		t.Fatal(err)
	}
	if deployment.APIVersion != "apps/v1" || deployment.Kind != "Deployment" || object.Spec.ScaleTargetRef.Name != deployment.Metadata.Name {
		t.Errorf("%+v scales %+v", object, deployment)
	}
	if c := deployment.Spec.Template.Spec.Containers; len(c) != 1 || len(c[0].Command) < 2 || c[0].Command[1] != "worker" {
		t.Errorf("containers %+v", c)
	}
	// What KEDA's scaler nats-jetstream reads; the schema leaves metadata open.
	known := []string{"account", "stream", "consumer", "lagThreshold", "activationLagThreshold", "natsServerMonitoringEndpoint", "useHttps"}
	for _, trigger := range object.Spec.Triggers {
		if trigger.Type != "nats-jetstream" || trigger.Metadata["stream"] != "IMPASTO_JOBS" || trigger.Metadata["natsServerMonitoringEndpoint"] == "" ||
			!regexp.MustCompile(`^(cpu|gpu)-[0-9]$`).MatchString(trigger.Metadata["consumer"]) {
			t.Errorf("trigger %+v", trigger)
		}
		for key := range trigger.Metadata {
			if !slices.Contains(known, key) {
				t.Errorf("the scaler knows no %s", key)
			}
		}
	}
}

// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"reflect"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// fieldType is what Kubernetes expects at a path of an object.
type fieldType int

const (
	unknownField fieldType = iota
	textField
	// nullableField is a text where null and "" mean different things.
	nullableField
	integerField
	booleanField
	quantityField
	intOrStringField
	listField
	mapField
)

// objectTypes are the Go types of kinds that templates hold. An old version of a kind has
// the same fields wherever its type is asked for here.
var objectTypes = map[string]reflect.Type{
	"ConfigMap":               reflect.TypeFor[corev1.ConfigMap](),
	"Secret":                  reflect.TypeFor[corev1.Secret](),
	"Service":                 reflect.TypeFor[corev1.Service](),
	"ServiceAccount":          reflect.TypeFor[corev1.ServiceAccount](),
	"Pod":                     reflect.TypeFor[corev1.Pod](),
	"PersistentVolumeClaim":   reflect.TypeFor[corev1.PersistentVolumeClaim](),
	"PersistentVolume":        reflect.TypeFor[corev1.PersistentVolume](),
	"Namespace":               reflect.TypeFor[corev1.Namespace](),
	"LimitRange":              reflect.TypeFor[corev1.LimitRange](),
	"ResourceQuota":           reflect.TypeFor[corev1.ResourceQuota](),
	"ReplicationController":   reflect.TypeFor[corev1.ReplicationController](),
	"Deployment":              reflect.TypeFor[appsv1.Deployment](),
	"StatefulSet":             reflect.TypeFor[appsv1.StatefulSet](),
	"DaemonSet":               reflect.TypeFor[appsv1.DaemonSet](),
	"ReplicaSet":              reflect.TypeFor[appsv1.ReplicaSet](),
	"Job":                     reflect.TypeFor[batchv1.Job](),
	"CronJob":                 reflect.TypeFor[batchv1.CronJob](),
	"PodDisruptionBudget":     reflect.TypeFor[policyv1.PodDisruptionBudget](),
	"HorizontalPodAutoscaler": reflect.TypeFor[autoscalingv2.HorizontalPodAutoscaler](),
	"NetworkPolicy":           reflect.TypeFor[networkingv1.NetworkPolicy](),
	"Ingress":                 reflect.TypeFor[networkingv1.Ingress](),
	"Role":                    reflect.TypeFor[rbacv1.Role](),
	"RoleBinding":             reflect.TypeFor[rbacv1.RoleBinding](),
	"ClusterRole":             reflect.TypeFor[rbacv1.ClusterRole](),
	"ClusterRoleBinding":      reflect.TypeFor[rbacv1.ClusterRoleBinding](),
	"PriorityClass":           reflect.TypeFor[schedulingv1.PriorityClass](),
	"StorageClass":            reflect.TypeFor[storagev1.StorageClass](),
}

// builtinGroup says whether a group is one of Kubernetes: a kind of that name in another
// group has other fields.
func builtinGroup(apiVersion string) bool {
	group, _, found := strings.Cut(apiVersion, "/")
	return !found || !strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io")
}

// fieldAt says what Kubernetes expects at a path of an object of a kind.
func fieldAt(doc *document, path []string) fieldType {
	t, nullable, _ := typeAt(doc, path)
	if t == nil {
		return unknownField
	}
	return classify(t, nullable)
}

// typeAt follows a path through the type of a kind. Where that ends early, missing says that
// the API has no such field, and not only that it is not known here.
func typeAt(doc *document, path []string) (t reflect.Type, nullable, missing bool) {
	t, found := objectTypes[doc.kind]
	if !found || !builtinGroup(doc.apiVersion) || len(path) == 0 {
		return nil, false, false
	}
	for _, name := range path {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		next, pointer, ok := descend(t, name)
		if !ok {
			plain := t.Kind() == reflect.Struct && t != quantityType && t != intOrStringType && t != timeType
			return nil, false, plain && name != "[]" && !strings.ContainsRune(name, mark)
		}
		t, nullable = next, pointer
	}
	return t, nullable, false
}

var (
	quantityType    = reflect.TypeFor[resource.Quantity]()
	intOrStringType = reflect.TypeFor[intstr.IntOrString]()
	timeType        = reflect.TypeFor[metav1.Time]()
)

func descend(t reflect.Type, name string) (next reflect.Type, pointer, ok bool) {
	switch t.Kind() {
	case reflect.Slice:
		if name != "[]" || t.Elem().Kind() == reflect.Uint8 {
			return nil, false, false
		}
		next = t.Elem()
	case reflect.Map:
		next = t.Elem()
	case reflect.Struct:
		if next = structField(t, name); next == nil {
			return nil, false, false
		}
	default:
		return nil, false, false
	}
	return next, next.Kind() == reflect.Pointer, true
}

// structField finds a field by its JSON name, in embedded structs too.
func structField(t reflect.Type, name string) reflect.Type {
	if t == quantityType || t == intOrStringType || t == timeType {
		return nil
	}
	for f := range t.Fields() {
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case tag == name && tag != "":
			return f.Type
		case tag == "" && (f.Anonymous || strings.Contains(options, "inline")) && f.Type.Kind() == reflect.Struct:
			if found := structField(f.Type, name); found != nil {
				return found
			}
		}
	}
	return nil
}

func classify(t reflect.Type, nullable bool) fieldType {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case quantityType:
		return quantityField
	case intOrStringType:
		return intOrStringField
	}
	switch t.Kind() {
	case reflect.String:
		if nullable {
			return nullableField
		}
		return textField
	case reflect.Int32, reflect.Int64, reflect.Int:
		return integerField
	case reflect.Bool:
		return booleanField
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return textField
		}
		return listField
	case reflect.Map, reflect.Struct:
		return mapField
	}
	return unknownField
}
